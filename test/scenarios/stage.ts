import type { EnsembleId, LinkId, ReplicaId } from '../../src/base/ids.ts'
import { LIMITS, TIMES } from '../../src/base/limits.ts'
import { counterOf, type Zxid } from '../../src/base/zxid.ts'
import { DecodeError } from '../../src/jute/reader.ts'
import { decodeMessage, encodeMessage } from '../../src/transport/codec.ts'
import type { Entry } from '../../src/zab/entry.ts'
import type { Fact, Order } from '../../src/zab/facts.ts'
import type { Message } from '../../src/zab/messages.ts'
import { makePeer, type Peer } from '../../src/zab/peer.ts'
import { step } from '../../src/zab/step.ts'
import { applyChanges, type DiskState, emptyDisk, recover } from '../simulation/disk.ts'
import { line, state } from './trace.ts'

export const ENSEMBLE = '0123456789abcdef0123456789abcdef' as EnsembleId

export interface ActorOptions {
  readonly id: ReplicaId
  readonly target: number
  readonly format: number
  readonly historyEntriesMax: number
  readonly adopted: boolean
  readonly observersMax: number
  readonly phone: boolean
  /** The highest version of the peer protocol. */
  readonly version: number
}

type Write = Extract<Order, { kind: 'write' }>

/** One peer, its disk, and what it has applied. */
export interface Actor {
  readonly options: ActorOptions
  readonly disk: DiskState
  /** The highest log format that its build knows. */
  format: number
  /** Null while it is crashed. */
  peer: Peer | null
  /** Issued and not yet durable, in order. */
  pending: { readonly order: Write; readonly committed: Zxid }[]
  /** Facts that wait while it is frozen. */
  frozen: { readonly since: number; readonly facts: Fact[] } | null
  applied: string[]
  digestAt: Zxid | null
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** Several peers of the product's core with explicit queues between them: nothing moves unless a scenario says so. */
export class Stage {
  readonly actors = new Map<ReplicaId, Actor>()
  /** Encoded messages on their way, by `from→to`. */
  readonly #queues = new Map<string, Uint8Array[]>()
  readonly #links = new Map<string, LinkId>()
  readonly cuts = new Set<string>()
  readonly lines: string[] = []
  heartbeats = true
  now = 0
  #nextLink = 1

  add(options: ActorOptions, entries: readonly Entry[], epochs: { accepted: number; current: number }): Actor {
    const disk = emptyDisk(ENSEMBLE, options.id, entries)
    disk.acceptedEpoch = epochs.accepted
    disk.currentEpoch = epochs.current
    const actor: Actor = {
      options,
      disk,
      format: options.format,
      peer: null,
      pending: [],
      frozen: null,
      applied: [],
      digestAt: null,
    }
    this.actors.set(options.id, actor)
    return actor
  }

  start(actor: Actor): void {
    const { id, target, historyEntriesMax, observersMax, adopted } = actor.options
    const found = recover(actor.disk)
    actor.disk.incarnation++
    actor.applied = [
      ...found.snapshot.map(text).filter((one) => one !== ''),
      ...textsOf(found.entries.filter((one) => one.zxid <= found.committed)),
    ]
    actor.peer = makePeer(
      {
        id,
        browser: `browser ${id}`,
        adopted,
        format: actor.format,
        voters: target,
        timing: TIMES,
        proposalsInFlightMax: LIMITS.proposalsInFlightMax,
        batchBytesMax: LIMITS.batchBytesMax,
        historyEntriesMax,
        observersMax,
        seed: id,
      },
      found,
      this.now,
    )
    this.turn(actor, [{ kind: 'ticked', now: this.now }])
  }

  /** What the host of a leader does with the heartbeat. The digest is what was applied, in short. */
  digest(actor: Actor): void {
    this.turn(actor, [{ kind: 'digested', zxid: actor.peer?.delivered ?? (0 as Zxid), digest: actor.applied.join() }])
  }

  #lookAtDigest(actor: Actor): void {
    if (actor.digestAt === null || actor.peer?.delivered !== actor.digestAt) return
    actor.digestAt = null
    this.digest(actor)
  }

  /** A turn as the host makes it: facts in order, `prepare` answered at once, the end of the turn. */
  turn(actor: Actor, facts: readonly Fact[]): void {
    if (actor.frozen !== null) {
      actor.frozen.facts.push(...facts)
      return
    }
    if (actor.peer === null) return
    for (const fact of [...facts, { kind: 'turnEnded' } as const]) {
      const orders = step(actor.peer, fact)
      for (let i = 0; i < orders.length; i++) {
        const order = orders[i] as Order
        this.#carryOut(actor, order)
        if (order.kind === 'prepare') {
          orders.push(...step(actor.peer, { kind: 'prepared', zxid: order.zxid, bytes: order.request }))
        }
      }
    }
  }

  #carryOut(actor: Actor, order: Order): void {
    const told = line(actor.options.id, order)
    if (told !== null && (this.heartbeats || !isHeartbeat(order))) this.lines.push(told)
    switch (order.kind) {
      case 'send':
        return this.#send(actor.options.id, order.to, order.link, order.message)
      case 'sendSnapshot': {
        const bytes = new TextEncoder().encode(actor.applied.join('|'))
        const chunk: Message = { kind: 'snapshotChunk', nonce: order.nonce, last: true, bytes }
        this.lines.push(line(actor.options.id, { ...order, kind: 'send', message: chunk }) as string)
        return this.#send(actor.options.id, order.to, order.link, chunk)
      }
      case 'write':
        actor.pending.push({ order, committed: actor.peer?.committed ?? (0 as Zxid) })
        return
      case 'deliver':
        actor.applied.push(...textsOf(order.entries))
        return this.#lookAtDigest(actor)
      case 'digestAt':
        actor.digestAt = order.zxid
        return this.#lookAtDigest(actor)
      case 'restore':
        actor.applied = order.chunks.map(text).join('').split('|')
        return
      case 'closeLink':
        if (this.#links.get(key(actor.options.id, order.peer)) !== order.link) return
        return this.close(actor.options.id, order.peer, order.reason)
      default:
        return
    }
  }

  #send(from: ReplicaId, to: ReplicaId, link: LinkId, message: Message): void {
    if (this.#links.get(key(from, to)) === link) this.#queue(from, to).push(encodeMessage(message))
  }

  #queue(from: ReplicaId, to: ReplicaId): Uint8Array[] {
    const name = key(from, to)
    let queue = this.#queues.get(name)
    if (queue === undefined) {
      queue = []
      this.#queues.set(name, queue)
    }
    return queue
  }

  open(a: ReplicaId, b: ReplicaId): void {
    const link = this.#nextLink++ as LinkId
    for (const [from, to] of both(a, b)) {
      this.#queues.delete(key(from, to))
      this.#links.set(key(from, to), link)
    }
    for (const [id, other] of both(a, b)) {
      const { options, format } = this.actor(other)
      const about = {
        incarnation: 1,
        browser: `browser ${other}`,
        format,
        version: Math.min(options.version, this.actor(id).options.version),
        adopted: options.adopted,
        phone: options.phone,
      }
      this.turn(this.actor(id), [{ kind: 'linkOpened', peer: other, link, about }])
    }
  }

  close(a: ReplicaId, b: ReplicaId, reason: string): void {
    const link = this.#links.get(key(a, b))
    if (link === undefined) return
    for (const [from, to] of both(a, b)) {
      this.#queues.delete(key(from, to))
      this.#links.delete(key(from, to))
    }
    for (const [id, peer] of both(a, b)) this.turn(this.actor(id), [{ kind: 'linkClosed', peer, link, reason }])
  }

  linked(a: ReplicaId, b: ReplicaId): boolean {
    return this.#links.has(key(a, b))
  }

  /** Of these, or of all. */
  states(ids: readonly ReplicaId[] = []): string[] {
    return (ids.length === 0 ? [...this.actors.keys()] : ids).map((id) => state(this.actor(id)))
  }

  /** Bytes that nobody who is honest would send now; ahead of what is on its way. */
  forge(from: ReplicaId, to: ReplicaId, bytes: Uint8Array): void {
    this.#queue(from, to).unshift(bytes)
  }

  /** The first `count` messages on their way, in one turn. Says how many there were. */
  deliver(from: ReplicaId, to: ReplicaId, count: number): number {
    const link = this.#links.get(key(from, to))
    if (link === undefined || this.cuts.has(key(from, to))) return 0
    const batch = this.#queue(from, to).splice(0, count)
    const facts: Fact[] = []
    let wrong: string | null = null
    for (const bytes of batch) {
      const message = read(bytes)
      if (typeof message === 'string') wrong = message
      else if (wrong === null) facts.push({ kind: 'received', from, link, message })
    }
    if (facts.length > 0) this.turn(this.actor(to), facts)
    if (wrong !== null) {
      this.lines.push(`${to} closes the link to ${from}: ${wrong}`)
      this.close(to, from, 'nonsense')
    }
    return batch.length
  }

  /** The first `count` issued writes reach the disk. */
  store(actor: Actor, count: number): number {
    const done = actor.pending.splice(0, count)
    for (const { order, committed } of done) land(actor.disk, order, committed)
    const last = done.at(-1)
    if (last !== undefined) this.turn(actor, [{ kind: 'stored', write: last.order.write }])
    return done.length
  }

  crash(actor: Actor, keep: number): void {
    for (const { order, committed } of actor.pending.slice(0, keep)) land(actor.disk, order, committed)
    actor.pending = []
    actor.frozen = null
    actor.peer = null
    for (const other of this.actors.keys()) this.close(other, actor.options.id, 'the other side crashed')
  }

  /** As if so much had been proposed, committed, delivered and compacted meanwhile, by the leader that there is. */
  skip(to: Zxid): void {
    for (const { peer, disk } of this.actors.values()) {
      if (peer === null || peer.pending.length > 0) throw new Error('only at rest')
      const config = peer.history.configs.at(-1)?.entry ?? null
      Object.assign(disk, { base: to, baseConfig: config, entries: [], committed: to })
      Object.assign(peer.history, { base: to, entries: [], start: 0 })
      Object.assign(peer, { committed: to, delivered: to })
      peer.durable.zxid = to
      if (peer.role.kind !== 'leading') continue
      peer.role.counter = counterOf(to)
      for (const learner of peer.role.learners.values()) Object.assign(learner, { acked: to, told: to })
    }
  }

  thaw(actor: Actor): void {
    const { frozen } = actor
    if (frozen === null) return
    actor.frozen = null
    const gap = this.now - frozen.since
    const woke: Fact[] = gap > TIMES.clockGap ? [{ kind: 'woke', now: this.now, gap }] : []
    this.turn(actor, [...woke, ...frozen.facts])
  }

  tick(ms: number): void {
    this.now += ms
    for (const actor of this.actors.values()) this.turn(actor, [{ kind: 'ticked', now: this.now }])
  }

  /** Messages and disks, in a fixed order, until nothing moves. */
  settle(): void {
    for (let round = 0; round < 1000; round++) {
      let moved = 0
      for (const from of this.actors.keys()) {
        for (const to of this.actors.keys()) moved += this.deliver(from, to, Number.POSITIVE_INFINITY)
      }
      for (const actor of this.actors.values()) moved += this.store(actor, Number.POSITIVE_INFINITY)
      if (moved === 0) return
    }
    throw new Error('it does not come to rest')
  }

  actor(id: ReplicaId): Actor {
    const actor = this.actors.get(id)
    if (actor === undefined) throw new Error(`there is no peer ${id}`)
    return actor
  }
}

export const key = (from: ReplicaId, to: ReplicaId): string => `${from}→${to}`
const both = (a: ReplicaId, b: ReplicaId): [ReplicaId, ReplicaId][] => [
  [a, b],
  [b, a],
]
/** As the transport does: what cannot be read ends the link. */
function read(bytes: Uint8Array): Message | string {
  try {
    return decodeMessage(bytes)
  } catch (error) {
    if (error instanceof DecodeError) return error.message
    throw error
  }
}

const isHeartbeat = (order: Order): boolean =>
  order.kind === 'send' && (order.message.kind === 'ping' || order.message.kind === 'pong')
const textsOf = (entries: readonly Entry[]): string[] =>
  entries.filter((one) => one.kind === 'txn').map((one) => text(one.bytes))

function land(disk: DiskState, order: Write, committed: Zxid): void {
  applyChanges(disk, order.changes)
  const last = disk.entries.at(-1)?.zxid ?? disk.base
  disk.committed = Math.max(disk.base, Math.min(committed, last)) as Zxid
}
