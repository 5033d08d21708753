import type { EnsembleId, LinkId, ReplicaId } from '../src/base/ids.ts'
import { makeZxid } from '../src/base/zxid.ts'
import { Client } from '../src/client/client.ts'
import { memoryPipe } from '../src/client/memory-pipe.ts'
import type { Platform } from '../src/replica/api.ts'
import { Replica } from '../src/replica/replica.ts'
import { Server } from '../src/server/server.ts'
import { MemoryDisk, MemoryTxnLog } from '../src/storage/memory-txn-log.ts'
import { PEER_VERSION } from '../src/transport/codec.ts'
import { memoryLinkPair } from '../src/transport/memory-link.ts'
import { openPeerLink } from '../src/transport/open-peer-link.ts'
import type { Hello } from '../src/transport/peer-link.ts'
import { encodeConfig, encodeFormat, FORMAT_VERSION } from '../src/zab/membership.ts'
import type { Contender } from './contest.ts'
import { measure, prepare } from './workload.ts'

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

/**
 * What the code itself costs: three real replicas with real servers, and a client of one that follows, all in this one thread. Messages
 * and packets are encoded, framed and decoded as everywhere; disks and links are memory.
 */
export async function openReplicas(): Promise<Contender> {
  const replicas = VOTERS.map(openReplica)
  for (const replica of replicas) replica.start()
  for (const a of VOTERS) for (const b of VOTERS) if (a < b) await join(replicas, a, b)
  const follower = await waitForFollower(replicas)
  const connect = async () => {
    const [mine, theirs] = memoryPipe()
    follower.clientConnected(theirs, { from: 'page', address: '' })
    return mine
  }
  const after = (ms: number, then: () => void) => {
    const timer = setTimeout(then, ms)
    return () => clearTimeout(timer)
  }
  const clock = { now: () => performance.now(), after }
  const client = Client.connect(connect, { clock, random: Math.random, touchedByHost: true })
  await client.connected()
  return {
    name: 'three replicas, 1 thread',
    version: 'in memory',
    async run(workload) {
      await prepare(client, workload.size)
      return await measure(client, workload)
    },
    async stop() {
      await client.close()
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

async function join(replicas: readonly Replica[], a: ReplicaId, b: ReplicaId): Promise<void> {
  const ends = memoryLinkPair()
  const linkId = (a * 10 + b) as LinkId
  const links = await Promise.all(
    [a, b].map((self, at) => {
      const end = ends[at]
      if (end === undefined) throw new Error('a link has two ends')
      return openPeerLink(end, hello(self), { linkId })
    }),
  )
  for (const [at, link] of links.entries()) replicas[VOTERS.indexOf(at === 0 ? a : b)]?.linkOpened(link)
}

const hello = (replica: ReplicaId): Hello => ({
  ensemble,
  replica,
  incarnation: 1,
  versionMin: PEER_VERSION,
  versionMax: PEER_VERSION,
  format: FORMAT_VERSION,
  browser: `b${replica}`,
  build: 'bench',
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
