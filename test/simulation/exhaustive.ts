import type { EnsembleId, LinkId, ReplicaId } from '../../src/base/ids.ts'
import { TIMES } from '../../src/base/limits.ts'
import { makeZxid, type Zxid } from '../../src/base/zxid.ts'
import type { Change, Fact, Order } from '../../src/zab/facts.ts'
import { encodeConfig, encodeFormat } from '../../src/zab/membership.ts'
import type { Message } from '../../src/zab/messages.ts'
import { makePeer, type Peer } from '../../src/zab/peer.ts'
import { majority } from '../../src/zab/quorum.ts'
import { startFollowing, startLeading } from '../../src/zab/roles.ts'
import { step } from '../../src/zab/step.ts'
import { Violation } from './checkers.ts'
import { applyChanges, type DiskState, emptyDisk, recover } from './disk.ts'

/** What may happen at most so often on one path; together they bound the space. */
export interface Bounds {
  readonly peers: number
  readonly transactions: number
  readonly crashes: number
  /** Times that the oracle lets somebody lead: as many epochs. */
  readonly leads: number
  /** Times that it lets somebody follow. */
  readonly follows: number
}

interface Pending {
  readonly write: number
  readonly changes: readonly Change[]
  readonly committed: Zxid
}

/** The whole state of the small world, cloneable. */
interface Small {
  readonly peers: Peer[]
  readonly disks: DiskState[]
  readonly writes: Pending[][]
  /** What each has delivered, as zxids. */
  readonly delivered: Zxid[][]
  readonly channels: Map<string, Message[]>
  readonly leaders: Map<number, ReplicaId>
  canonical: Zxid[]
  used: { transactions: number; crashes: number; leads: number; follows: number }
}

const ENSEMBLE = '0'.repeat(32) as EnsembleId

/** Depth first over every interleaving of messages, disk writes, crashes and the oracle's decisions within the bounds. */
export function exhaust(bounds: Bounds, maxStates = 20_000_000): { readonly states: number; readonly whole: boolean } {
  const seen = new Set<string>()
  const stack: Small[] = [begin(bounds.peers)]
  while (stack.length > 0 && seen.size < maxStates) {
    const state = stack.pop() as Small
    for (const action of actionsOf(state, bounds)) {
      const next = structuredClone(state)
      action(next)
      check(next)
      const key = fingerprint(next)
      if (seen.has(key)) continue
      seen.add(key)
      stack.push(next)
    }
  }
  return { states: seen.size, whole: stack.length === 0 }
}

function begin(size: number): Small {
  const ids = Array.from({ length: size }, (_, i) => (i + 1) as ReplicaId)
  const founding = [
    { zxid: makeZxid(0, 1), kind: 'config', bytes: encodeConfig({ ensemble: ENSEMBLE, voters: ids, old: null }) },
    { zxid: makeZxid(0, 2), kind: 'format', bytes: encodeFormat(1) },
  ] as const
  const disks = ids.map((id) => emptyDisk(ENSEMBLE, id, founding))
  const state: Small = {
    peers: disks.map(peerOf),
    disks,
    writes: ids.map(() => []),
    delivered: ids.map(() => []),
    channels: new Map(),
    leaders: new Map(),
    canonical: [],
    used: { transactions: 0, crashes: 0, leads: 0, follows: 0 },
  }
  for (const id of ids) act(state, id, { kind: 'ticked', now: 1 })
  for (const a of ids) for (const b of ids) if (a < b) link(state, a, b)
  return state
}

const peerOf = (disk: DiskState): Peer =>
  makePeer(
    {
      id: disk.replica,
      browser: 'one',
      voters: 3,
      timing: TIMES,
      proposalsInFlightMax: 64,
      batchBytesMax: 1 << 20,
      historyEntriesMax: 1000,
      seed: 1,
    },
    recover(disk),
    1,
  )

/** A new link of a pair: what was on its way is lost. Its id only has to differ from the last one. */
function link(state: Small, a: ReplicaId, b: ReplicaId): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    state.channels.set(`${from} ${to}`, [])
    const old = state.peers[from - 1]?.links.get(to)?.link
    if (old !== undefined) act(state, from, { kind: 'linkClosed', peer: to, link: old, reason: 'reset' })
  }
  const id = (state.used.crashes + 1) as LinkId
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    act(state, from, { kind: 'linkOpened', peer: to, link: id, about: { incarnation: 1, browser: 'one', format: 1 } })
  }
}

function actionsOf(state: Small, bounds: Bounds): ((next: Small) => void)[] {
  const actions: ((next: Small) => void)[] = []
  for (const [key, queue] of state.channels) {
    if (queue.length > 0) actions.push((next) => deliver(next, key))
  }
  for (const [i, peer] of state.peers.entries()) {
    const id = (i + 1) as ReplicaId
    const { role } = peer
    const waiting = state.writes[i]?.length ?? 0
    if (waiting > 0) actions.push((next) => landOne(next, i))
    if (state.used.crashes < bounds.crashes) {
      for (let keep = 0; keep <= waiting; keep++) actions.push((next) => crash(next, i, keep))
    }
    if (role.kind === 'leading' && role.phase === 'broadcast' && state.used.transactions < bounds.transactions) {
      actions.push((next) => {
        next.used.transactions++
        act(next, id, { kind: 'requested', requests: [new Uint8Array([next.used.transactions])] })
      })
    }
    if (role.kind !== 'looking' || role.settling) continue
    // The peers are alike at first: whoever leads first may be called 1, and whoever follows it first 2.
    const { leads, follows, crashes } = state.used
    const alike = crashes === 0 && follows === 0 && leads === 0
    if (leads < bounds.leads && (!alike || id === 1)) {
      actions.push((next) => {
        next.used.leads++
        force(next, id, startLeading)
      })
    }
    for (const other of state.peers) {
      if (other === peer || other.role.kind !== 'leading' || follows >= bounds.follows) continue
      if (crashes === 0 && follows === 0 && leads === 1 && id !== 2) continue
      actions.push((next) => {
        next.used.follows++
        force(next, id, (mine, orders) => startFollowing(mine, other.options.id, orders))
      })
    }
  }
  return actions
}

function deliver(state: Small, key: string): void {
  const [from, to] = key.split(' ').map(Number) as [ReplicaId, ReplicaId]
  const message = state.channels.get(key)?.shift()
  const peer = state.peers[to - 1] as Peer
  const there = peer.links.get(from)
  if (message !== undefined && there !== undefined)
    act(state, to, { kind: 'received', from, link: there.link, message })
}

function landOne(state: Small, i: number): void {
  const pending = state.writes[i]?.shift()
  if (pending === undefined) return
  onDisk(state.disks[i] as DiskState, pending)
  act(state, (i + 1) as ReplicaId, { kind: 'stored', write: pending.write })
}

function onDisk(disk: DiskState, pending: Pending): void {
  applyChanges(disk, pending.changes)
  disk.committed = Math.max(disk.base, Math.min(pending.committed, disk.entries.at(-1)?.zxid ?? disk.base)) as Zxid
}

function crash(state: Small, i: number, keep: number): void {
  state.used.crashes++
  const disk = state.disks[i] as DiskState
  for (const pending of (state.writes[i] ?? []).slice(0, keep)) onDisk(disk, pending)
  state.writes[i] = []
  state.peers[i] = peerOf(disk)
  state.delivered[i] = disk.entries.filter(({ zxid }) => zxid <= disk.committed).map(({ zxid }) => zxid)
  const id = (i + 1) as ReplicaId
  for (const other of state.peers) if (other.options.id !== id) link(state, id, other.options.id)
  act(state, id, { kind: 'ticked', now: 1 })
}

function act(state: Small, id: ReplicaId, fact: Fact): void {
  const peer = state.peers[id - 1] as Peer
  carryOut(state, id, step(peer, fact))
  carryOut(state, id, step(peer, { kind: 'turnEnded' }))
}

function force(state: Small, id: ReplicaId, what: (peer: Peer, orders: Order[]) => void): void {
  const orders: Order[] = []
  what(state.peers[id - 1] as Peer, orders)
  carryOut(state, id, orders)
}

function carryOut(state: Small, id: ReplicaId, orders: Order[]): void {
  const peer = state.peers[id - 1] as Peer
  for (let i = 0; i < orders.length; i++) {
    const order = orders[i] as Order
    if (order.kind === 'send') {
      if (order.message.kind !== 'notification') state.channels.get(`${id} ${order.to}`)?.push(order.message)
    } else if (order.kind === 'write') {
      state.writes[id - 1]?.push({ write: order.write, changes: order.changes, committed: peer.committed })
    } else if (order.kind === 'prepare') {
      for (const more of step(peer, { kind: 'prepared', zxid: order.zxid, bytes: order.request })) orders.push(more)
    } else if (order.kind === 'deliver') {
      for (const { zxid } of order.entries) {
        state.delivered[id - 1]?.push(zxid)
        quorumHas(state, zxid)
      }
    }
  }
}

/** I4, while every entry is of the one configuration. */
function quorumHas(state: Small, zxid: Zxid): void {
  const have = state.disks.filter(({ entries }) => entries.some((entry) => entry.zxid === zxid)).length
  if (have < majority(state.disks.length)) throw new Violation('I4', `${zxid} is delivered with ${have} disks`)
}

/** I1, I2, I6. */
function check(state: Small): void {
  for (const [i, peer] of state.peers.entries()) {
    const { role } = peer
    if (role.kind === 'leading' && role.phase !== 'discovery') {
      const known = state.leaders.get(role.epoch)
      if (known !== undefined && known !== peer.options.id)
        throw new Violation('I1', `epoch ${role.epoch}: ${known} and ${peer.options.id}`)
      state.leaders.set(role.epoch, peer.options.id)
    }
    const mine = state.delivered[i] as Zxid[]
    for (let at = 0; at < mine.length; at++) {
      if (at < state.canonical.length && state.canonical[at] !== mine[at]) {
        throw new Violation('I2', `peer ${peer.options.id} has ${mine[at]} at ${at}, others ${state.canonical[at]}`)
      }
    }
    if (mine.length > state.canonical.length) state.canonical = [...mine]
    const disk = state.disks[i] as DiskState
    if (disk.currentEpoch > disk.acceptedEpoch) throw new Violation('I6', `peer ${peer.options.id}`)
  }
}

/** States that differ only in what nobody will ever look at are one. */
function fingerprint(state: Small): string {
  return JSON.stringify(state, (key, value: unknown) => {
    // Memory of others is looked at only when a store goes backwards, and here none does.
    if (key === 'memory' || key === 'memoryDue' || key === 'of') return undefined
    if (key === 'options' || key === 'random' || key === 'told') return undefined
    if (value instanceof Map) return [...value]
    if (value instanceof Set) return [...value]
    if (value instanceof Uint8Array) return value.length
    return value
  })
}
