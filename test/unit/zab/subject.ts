import type { EnsembleId, LinkId, ReplicaId } from '../../../src/base/ids.ts'
import { LIMITS, TIMES } from '../../../src/base/limits.ts'
import { makeZxid, type Zxid } from '../../../src/base/zxid.ts'
import type { Entry } from '../../../src/zab/entry.ts'
import type { Fact, Order } from '../../../src/zab/facts.ts'
import { encodeConfig, encodeFormat, FORMAT_VERSION } from '../../../src/zab/membership.ts'
import type { Message } from '../../../src/zab/messages.ts'
import type { PeerOptions, PeerStart } from '../../../src/zab/options.ts'
import { makePeer, type Peer } from '../../../src/zab/peer.ts'
import { step } from '../../../src/zab/step.ts'

export const ENSEMBLE = '0123456789abcdef0123456789abcdef' as EnsembleId
export const z = (epoch: number, counter: number): Zxid => makeZxid(epoch, counter)
export const r = (id: number): ReplicaId => id as ReplicaId
export const voters = (...ids: number[]): ReplicaId[] => ids.map(r)
export const txn = (zxid: Zxid): Entry => ({ zxid, kind: 'txn', bytes: new Uint8Array([1]) })
export const configEntry = (zxid: Zxid, now: number[], old: number[] | null = null): Entry => ({
  zxid,
  kind: 'config',
  bytes: encodeConfig({ ensemble: ENSEMBLE, voters: voters(...now), old: old === null ? null : voters(...old) }),
})

export const options = (over: Partial<PeerOptions> = {}): PeerOptions => ({
  id: r(2),
  browser: 'b',
  format: 1,
  voters: 3,
  timing: TIMES,
  proposalsInFlightMax: 8,
  batchBytesMax: LIMITS.batchBytesMax,
  historyEntriesMax: 4,
  observersMax: 8,
  seed: 1,
  ...over,
})

/** The log of an ensemble of 1, 2, 3 that has led a life in epoch 1. */
export const start: PeerStart = {
  acceptedEpoch: 1,
  currentEpoch: 1,
  base: 0 as Zxid,
  baseConfig: null,
  entries: [
    configEntry(z(0, 1), [1, 2, 3]),
    { zxid: z(0, 2), kind: 'format', bytes: encodeFormat(FORMAT_VERSION) },
    txn(z(1, 1)),
    txn(z(1, 2)),
  ],
  committed: z(1, 1),
  memory: [],
  demoted: false,
}

/** One peer between others that are only played: number 2, linked to 1 and 3 (and 9, who is no voter). */
export class Subject {
  readonly peer: Peer
  readonly marks: string[] = []

  constructor(from: PeerStart = start, over: Partial<PeerOptions> = {}) {
    this.peer = makePeer(options(over), from, 0)
    this.hear({ kind: 'ticked', now: 0 })
    for (const id of [1, 3, 9]) {
      const about = { incarnation: 1, browser: `b${id}`, format: 1 }
      this.hear({ kind: 'linkOpened', peer: r(id), link: id as LinkId, about })
    }
  }

  /** As the host does: `prepare` is answered at once. */
  hear(fact: Fact): Order[] {
    const orders = step(this.peer, fact)
    for (let i = 0; i < orders.length; i++) {
      const order = orders[i] as Order
      if (order.kind === 'mark') this.marks.push(order.name)
      if (order.kind === 'prepare') {
        orders.push(...step(this.peer, { kind: 'prepared', zxid: order.zxid, bytes: order.request }))
      }
    }
    return orders
  }

  receive(from: number, message: Message): Order[] {
    return this.hear({ kind: 'received', from: r(from), link: from as LinkId, message })
  }

  store(): Order[] {
    const last = this.peer.pending.at(-1)
    return last === undefined ? [] : this.hear({ kind: 'stored', write: last.write })
  }
}

const vote = (state: 'looking' | 'leading', leader: number, established = false): Message => ({
  kind: 'notification',
  state,
  round: 1,
  leader: r(leader),
  epoch: 1,
  zxid: z(1, 2),
  established,
  accepted: 1,
  room: false,
})
const diff = (voting: boolean): Message => ({
  kind: 'sync',
  nonce: 1,
  mode: 'diff',
  from: z(1, 2),
  voting,
  config: null,
})

function following(
  until: 'discovery' | 'promising' | 'synchronization' | 'staged' | 'durable',
  voting = true,
): Subject {
  const subject = new Subject()
  subject.receive(3, vote('leading', 3, true))
  if (until === 'discovery') return subject
  subject.receive(3, { kind: 'leaderInfo', nonce: 1, epoch: 2, leader: r(3) })
  if (until === 'promising') return subject
  subject.store()
  if (until === 'synchronization') return subject
  subject.receive(3, diff(voting))
  if (until === 'staged') return subject
  subject.receive(3, { kind: 'newLeader', nonce: 1, epoch: 2, last: z(1, 2) })
  return subject
}

function serving(voting: boolean): Subject {
  const subject = following('durable', voting)
  subject.store()
  subject.receive(3, { kind: 'upToDate', nonce: 1, committed: z(1, 2) })
  return subject
}

function leading(until: 'discovery' | 'promised' | 'synchronization' | 'broadcast'): Subject {
  const subject = new Subject()
  subject.receive(3, vote('looking', 2))
  subject.receive(1, vote('looking', 2))
  if (until === 'discovery') return subject
  subject.receive(3, {
    kind: 'followerInfo',
    nonce: 1,
    acceptedEpoch: 1,
    snapshotWanted: false,
    demoted: false,
    insists: false,
  })
  subject.store()
  if (until === 'promised') return subject
  const epochEnds = [z(0, 2), z(1, 2)]
  subject.receive(3, { kind: 'ackEpoch', nonce: 1, currentEpoch: 1, lastZxid: z(1, 2), epochEnds })
  subject.store()
  if (until === 'synchronization') return subject
  subject.receive(3, { kind: 'ackNewLeader', nonce: 1, epoch: 2, zxid: z(1, 2) })
  return subject
}

/** A peer in every state that it can be in. The one that it talks to is 3, with nonce 1. */
export const STATES: Readonly<Record<string, () => Subject>> = {
  'looking, settling': () => {
    const subject = following('durable')
    subject.receive(3, { kind: 'refuse', nonce: 1, reason: 'go' })
    return subject
  },
  looking: () => new Subject(),
  'looking, no voter': () => new Subject({ ...start, entries: [configEntry(z(0, 1), [1, 3])], committed: z(0, 1) }),
  'looking, empty log': () => new Subject({ ...start, entries: [], committed: 0 as Zxid }),
  'following, discovery': () => following('discovery'),
  'following, promising': () => following('promising'),
  'following, synchronization': () => following('synchronization'),
  'following, staged': () => following('staged'),
  'following, durable': () => following('durable'),
  'following, acknowledged': () => {
    const subject = following('durable')
    subject.store()
    return subject
  },
  'following, broadcast': () => serving(true),
  'observing, broadcast': () => serving(false),
  'leading, discovery': () => leading('discovery'),
  'leading, promised': () => leading('promised'),
  'leading, synchronization': () => leading('synchronization'),
  'leading, broadcast': () => leading('broadcast'),
}

export const stateOf = ({ peer: { role } }: Subject): string =>
  role.kind === 'looking' ? (role.settling ? 'looking, settling' : 'looking') : `${role.kind}, ${role.phase}`
