import { fileURLToPath } from 'node:url'
import { Client } from '../../src/client/client.ts'
import type { FramePipe } from '../../src/client/frame-pipe.ts'
import { splitPackets } from '../../src/jute/packets.ts'
import type { ServerOrder } from '../../src/server/orders.ts'
import { play } from '../conformance/player.ts'
import { loadScenarios } from '../conformance/scenario.ts'
import { Standalone } from '../standalone.ts'
import { openThreeReplicas } from '../three-replicas.ts'

/** What was really said, as whole frames or messages. */
export interface Corpus {
  /** The first packet of each connection, from both ends. */
  readonly connects: Uint8Array[]
  readonly welcomes: Uint8Array[]
  /** Frames of several packets, each behind its length. */
  readonly toServer: Uint8Array[]
  readonly toClient: Uint8Array[]
  readonly leaderRequests: Uint8Array[]
  readonly txns: Uint8Array[]
  readonly snapshots: Uint8Array[]
  readonly betweenPeers: Uint8Array[]
}

const VECTORS = fileURLToPath(new URL('../conformance/vectors', import.meta.url))
const BYTES_MAX = 4096

/** Records the conformance vectors, played by plain clients, and a negotiated client of three replicas. `share`: one of so many vectors. */
export async function record(share = 1): Promise<Corpus> {
  const corpus: Corpus = {
    connects: [],
    welcomes: [],
    toServer: [],
    toClient: [],
    leaderRequests: [],
    txns: [],
    snapshots: [],
    betweenPeers: [],
  }
  for (const [at, scenario] of loadScenarios(VECTORS).entries()) {
    if (at % share === 0) await play(scenario, recorded(corpus, new Standalone()))
  }
  await negotiated(corpus)
  return corpus
}

/** The same host; what goes in and out of it is kept. */
function recorded(corpus: Corpus, host: Standalone): Standalone {
  const { server } = host
  const dial = host.connect
  host.connect = async () => tapped(corpus, await dial())
  const prepare = server.prepare.bind(server)
  server.prepare = (zxid, request, now, wall) => {
    keep(corpus.leaderRequests, request)
    return prepare(zxid, request, now, wall)
  }
  const apply = server.apply.bind(server)
  server.apply = (zxid, txn): ServerOrder[] => {
    keep(corpus.txns, txn)
    const orders = apply(zxid, txn)
    if (corpus.txns.length % 64 === 0) keep(corpus.snapshots, Buffer.concat([...server.snapshot()]))
    return orders
  }
  return host
}

function tapped(corpus: Corpus, pipe: FramePipe): FramePipe {
  let greeted = false
  let welcomed = false
  const outer: FramePipe = {
    onframe: null,
    onclose: null,
    send: (frame) => {
      if (greeted) keep(corpus.toServer, frame)
      else keep(corpus.connects, splitPackets(frame)[0])
      greeted = true
      pipe.send(frame)
    },
    close: () => pipe.close(),
  }
  pipe.onclose = (reason) => outer.onclose?.(reason)
  pipe.onframe = (frame) => {
    if (welcomed) keep(corpus.toClient, frame)
    else keep(corpus.welcomes, splitPackets(frame)[0])
    welcomed = true
    outer.onframe?.(frame)
  }
  return outer
}

function keep(where: Uint8Array[], bytes: Uint8Array | undefined): void {
  if (bytes !== undefined && bytes.length <= BYTES_MAX) where.push(bytes.slice())
}

async function negotiated(corpus: Corpus): Promise<void> {
  const replicas = await openThreeReplicas((frame) => keep(corpus.betweenPeers, frame))
  const clock = {
    now: () => performance.now(),
    after: (ms: number, then: () => void) => {
      const timer = setTimeout(then, ms)
      return () => clearTimeout(timer)
    },
  }
  let pipe: FramePipe | null = null
  const dial = async (): Promise<FramePipe> => {
    pipe = tapped(corpus, await replicas.connect())
    return pipe
  }
  const client = Client.connect(dial, { clock, random: Math.random, touchedByHost: true })
  await client.create('/f', 'x'.repeat(300))
  await client.addWatch('/', () => undefined, { mode: 'persistentRecursive' })
  for (let i = 0; i < 20; i++) {
    const asked = [client.setData('/f', `${i}`), client.create('/f/s-', null, { mode: 'ephemeralSequential' })]
    if (i % 5 === 0) (pipe as FramePipe | null)?.close()
    await Promise.all(asked)
    await client.sync()
  }
  await client.close()
  await replicas.stop()
}
