import { loadavg } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { SessionId } from '../src/base/ids.ts'
import { makeZxid, nextZxid } from '../src/base/zxid.ts'
import { PacketBatch } from '../src/jute/packets.ts'
import { encodeConnectRequest, encodeRequest, type Request } from '../src/jute/protocol.ts'
import type { ServerOrder } from '../src/server/orders.ts'
import { Server } from '../src/server/server.ts'
import { machine, percentile } from './report.ts'
import { zooKeeperHeap } from './zookeeper-heap.ts'

const OPEN = [{ perms: 31, scheme: 'world', id: 'anyone' }] as const
const DATA = new Uint8Array(16).fill(7)
const PACKETS_A_FRAME = 64
/** So many operations of each kind are timed, at paths spread over all nodes. */
const SAMPLE = 20_000

type Shape = 'spread' | 'flat'
/** Where the i-th node stands: a thousand below each parent, or all below one. */
const pathOf = (shape: Shape, i: number): string =>
  shape === 'flat'
    ? `/n/${String(i).padStart(7, '0')}`
    : `/n${Math.floor(i / 1000)}/${String(i % 1000).padStart(4, '0')}`

/** Server and tree of one replica that leads itself, fed with the frames of one client. Its log is elsewhere. */
class Replica {
  readonly server = new Server()
  #zxid = makeZxid(1, 0)
  #xid = 0
  #batch = new PacketBatch()
  #packets = 0

  constructor() {
    this.server.startLeading(0)
    this.server.serving(true)
    this.server.connectionOpened(1, { from: 'page', address: '' })
    this.#batch.add(
      encodeConnectRequest({
        protocolVersion: 0,
        lastZxidSeen: 0,
        timeOut: 40_000,
        sessionId: 0n as SessionId,
        passwd: new Uint8Array(16),
        readOnly: false,
      }),
    )
    this.flush()
  }

  ask(request: Request): void {
    this.#batch.add(encodeRequest(++this.#xid, request))
    if (++this.#packets === PACKETS_A_FRAME) this.flush()
  }

  flush(): void {
    this.#packets = 0
    this.#carryOut(this.server.received(1, this.#batch.take(), 0, () => new Uint8Array(32)))
  }

  #carryOut(orders: readonly ServerOrder[]): void {
    for (const order of orders) {
      if (order.kind !== 'request') continue
      this.#zxid = nextZxid(this.#zxid)
      const txn = this.server.prepare(this.#zxid, order.bytes, 0, 0)
      this.#carryOut(this.server.apply(this.#zxid, txn))
    }
  }

  /** Operations a second. */
  time(count: number, request: (i: number) => Request): number {
    const began = performance.now()
    for (let i = 0; i < count; i++) this.ask(request(i))
    this.flush()
    return (count * 1000) / (performance.now() - began)
  }
}

const create = (path: string): Request => ({ kind: 'create', path, data: DATA, acl: OPEN, flags: 0 })

function fill(replica: Replica, shape: Shape, nodes: number): number {
  const parents = shape === 'flat' ? ['/n'] : Array.from({ length: Math.ceil(nodes / 1000) }, (_, i) => `/n${i}`)
  for (const path of parents) replica.ask(create(path))
  return replica.time(nodes, (i) => create(pathOf(shape, i)))
}

/** Rates at this size, in the order of COLUMNS. */
function rates(replica: Replica, shape: Shape, nodes: number): number[] {
  const stride = Math.max(1, Math.floor(nodes / SAMPLE))
  const at = (i: number): string => pathOf(shape, (i * stride) % nodes)
  return [
    replica.time(SAMPLE, (i) => create(`${at(i)}-more`)),
    replica.time(SAMPLE, (i) => ({ kind: 'setData', path: at(i), data: DATA, version: -1 })),
    replica.time(SAMPLE, (i) => ({ kind: 'getData', path: at(i), watch: false })),
    replica.time(SAMPLE, (i) => ({ kind: 'exists', path: at(i), watch: false })),
    replica.time(SAMPLE, (i) => ({ kind: 'getData', path: at(i), watch: true })),
    // Each of these tells the watch set before.
    replica.time(SAMPLE, (i) => ({ kind: 'setData', path: at(i), data: DATA, version: -1 })),
    replica.time(SAMPLE, (i) => ({ kind: 'delete', path: `${at(i)}-more`, version: -1 })),
  ]
}

const COLUMNS = ['fill', 'create', 'set', 'get', 'exists', 'watch', 'told', 'delete']

/** Drawn a chunk at a time while writes go on between: how long the longest chunk held the thread. Milliseconds. */
function snapshotStalls(
  replica: Replica,
  shape: Shape,
  nodes: number,
): { readonly chunks: number; readonly ms: number[] } {
  const ms: number[] = []
  const drawing = replica.server.snapshot()[Symbol.iterator]()
  for (let i = 0; ; i++) {
    const began = performance.now()
    const { done } = drawing.next()
    ms.push(performance.now() - began)
    if (done === true) return { chunks: i, ms: ms.sort((a, b) => a - b) }
    const path = pathOf(shape, (i * 7919) % nodes)
    replica.ask({ kind: 'setData', path, data: DATA, version: -1 })
    replica.flush()
  }
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function memory(): number {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** A newcomer takes up the snapshot of such a tree, all in one go: before it serves, but its thread is held. Milliseconds. */
function takeUp(replica: Replica): number {
  const chunks = [...replica.server.snapshot()]
  const newcomer = new Server()
  const began = performance.now()
  newcomer.restore(makeZxid(1, 1), chunks)
  return performance.now() - began
}

const whole = (value: number): string => Math.round(value).toLocaleString('en')

function measure(shape: Shape, nodes: number): void {
  const before = memory()
  const replica = new Replica()
  const filled = fill(replica, shape, nodes)
  const bytes = (memory() - before) / nodes
  const all = [filled, ...rates(replica, shape, nodes)].map((rate) => whole(rate).padStart(9)).join('')
  const { chunks, ms } = snapshotStalls(replica, shape, nodes)
  const stall = `${chunks} chunks, p99 ${percentile(ms, 0.99).toFixed(1)} ms, longest ${(ms.at(-1) ?? 0).toFixed(1)} ms; taken up in ${whole(takeUp(replica))} ms`
  console.log(`${shape.padEnd(7)}${whole(nodes).padStart(9)}${all}  ${whole(bytes).padStart(5)} B/znode   ${stall}`)
}

/** `npm run bench -- tree` */
export async function benchTree(): Promise<void> {
  const load = loadavg()
  const heap = await zooKeeperHeap(100_000, DATA, (i) => pathOf('spread', i))
  console.log(machine(load, heap === null ? [] : [`ZooKeeper ${heap.version}`]))
  console.log('operations a second through server and tree of one replica; 16 bytes of data a znode')
  console.log(`shape     znodes${COLUMNS.map((name) => name.padStart(9)).join('')}`)
  for (const nodes of [10_000, 100_000, 1_000_000]) measure('spread', nodes)
  for (const nodes of [10_000, 100_000]) measure('flat', nodes)
  if (heap !== null)
    console.log(`ZooKeeper, 100,000 znodes as in "spread": ${whole(heap.bytesPerZnode)} B/znode of live heap`)
}
