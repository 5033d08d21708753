import type { EnsembleId, LinkId, ReplicaId } from '../src/base/ids.ts'
import { makeZxid } from '../src/base/zxid.ts'
import type { Connector } from '../src/client/frame-pipe.ts'
import { memoryPipe } from '../src/client/memory-pipe.ts'
import type { Platform } from '../src/replica/api.ts'
import { Replica } from '../src/replica/replica.ts'
import { Server } from '../src/server/server.ts'
import { MemoryDisk, MemoryTxnLog } from '../src/storage/memory-txn-log.ts'
import type { ByteLink } from '../src/transport/byte-link.ts'
import { PEER_VERSION, PEER_VERSION_MAX } from '../src/transport/codec.ts'
import { memoryLinkPair } from '../src/transport/memory-link.ts'
import { openPeerLink } from '../src/transport/open-peer-link.ts'
import type { Hello } from '../src/transport/peer-link.ts'
import { encodeConfig, encodeFormat, FORMAT_VERSION } from '../src/zab/membership.ts'

const VOTERS = [1, 2, 3] as ReplicaId[]
const ensemble = '0'.repeat(32) as EnsembleId

const platform: Platform = {
  now: () => performance.now(),
  wall: () => Date.now(),
  entropy: (length) => crypto.getRandomValues(new Uint8Array(length)),
  every: (ms, tick) => {
    const timer = setInterval(tick, ms)
    return () => clearInterval(timer)
  },
  soon: (turn) => void setImmediate(turn),
}

/** Three replicas as three tabs have them, in this one thread: real servers, links and logs in memory. */
export interface ThreeReplicas {
  /** To one that follows. */
  readonly connect: Connector
  stop(): Promise<void>
}

/** `tap` sees every frame between them. */
export async function openThreeReplicas(tap: (frame: Uint8Array) => void = () => undefined): Promise<ThreeReplicas> {
  const replicas = VOTERS.map(openReplica)
  for (const replica of replicas) replica.start()
  for (const a of VOTERS) for (const b of VOTERS) if (a < b) await join(replicas, a, b, tap)
  const follower = await waitForFollower(replicas)
  return {
    connect: async () => {
      const [mine, theirs] = memoryPipe()
      follower.clientConnected(theirs, { from: 'page', address: '' })
      return mine
    },
    async stop() {
      await Promise.all(replicas.map((replica) => replica.close()))
    },
  }
}

function openReplica(id: ReplicaId): Replica {
  const config = encodeConfig({ ensemble, voters: VOTERS, old: null })
  const disk = new MemoryDisk(ensemble, id, [
    { zxid: makeZxid(0, 1), kind: 'config', bytes: config },
    { zxid: makeZxid(0, 2), kind: 'format', bytes: encodeFormat(FORMAT_VERSION) },
  ])
  const log = new MemoryTxnLog(disk)
  const listener = {
    changed: () => undefined,
    leading: () => undefined,
    notLeading: () => undefined,
    notice: () => undefined,
    ended: () => undefined,
  }
  const recovered = log.recover()
  return new Replica({ log, recovered, server: new Server(), platform, listener, browser: `b${id}`, voters: 3 })
}

async function join(
  replicas: readonly Replica[],
  a: ReplicaId,
  b: ReplicaId,
  tap: (frame: Uint8Array) => void,
): Promise<void> {
  const ends = memoryLinkPair()
  const linkId = (a * 10 + b) as LinkId
  const links = await Promise.all(
    [a, b].map((self, at) => {
      const end = ends[at]
      if (end === undefined) throw new Error('a link has two ends')
      tapped(end, tap)
      return openPeerLink(end, hello(self), { linkId })
    }),
  )
  for (const [at, link] of links.entries()) replicas[VOTERS.indexOf(at === 0 ? a : b)]?.linkOpened(link)
}

function tapped(end: ByteLink, tap: (frame: Uint8Array) => void): void {
  const send = end.send.bind(end)
  end.send = (frame) => {
    tap(frame)
    return send(frame)
  }
}

const hello = (replica: ReplicaId): Hello => ({
  ensemble,
  replica,
  incarnation: 1,
  versionMin: PEER_VERSION,
  versionMax: PEER_VERSION_MAX,
  format: FORMAT_VERSION,
  browser: `b${replica}`,
  build: 'test',
})

async function waitForFollower(replicas: readonly Replica[]): Promise<Replica> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
    const states = await Promise.all(replicas.map((replica) => replica.inspect()))
    const follower = replicas[states.findIndex(({ role, serving }) => role === 'following' && serving)]
    if (follower !== undefined && states.every(({ serving }) => serving)) return follower
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('The three replicas elected no leader within 20 seconds.')
}
