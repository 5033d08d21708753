import type { ReplicaId } from '../../src/base/ids.ts'
import { formatZxid, type Zxid } from '../../src/base/zxid.ts'
import type { Entry } from '../../src/zab/entry.ts'
import type { Fact, Order } from '../../src/zab/facts.ts'
import type { Message } from '../../src/zab/messages.ts'
import type { PeerOptions } from '../../src/zab/options.ts'
import type { Peer } from '../../src/zab/peer.ts'
import { step } from '../../src/zab/step.ts'
import { applyChanges, type DiskState } from './disk.ts'
import { Violation } from './violation.ts'
import type { Pending } from './walker.ts'

/** One peer of the small world with its disk, the writes on their way there, and what its state machine has applied. */
export interface Local {
  readonly peer: Peer
  readonly disk: DiskState
  readonly writes: readonly Pending[]
  /** As `zxid=bytes`. */
  readonly applied: readonly string[]
}

/** One peer while something happens to it. */
export class Running {
  readonly #numberOf: (message: Message) => number
  readonly local: { peer: Peer; disk: DiskState; writes: Pending[]; applied: string[] }
  readonly sends: { readonly to: ReplicaId; readonly message: number }[] = []
  readonly delivered: Zxid[] = []

  constructor(local: Running['local'], numberOf: (message: Message) => number) {
    this.#numberOf = numberOf
    this.local = local
  }

  act(fact: Fact): void {
    this.#carryOut(step(this.local.peer, fact))
    this.#carryOut(step(this.local.peer, { kind: 'turnEnded' }))
  }

  force(what: (peer: Peer, orders: Order[]) => void): void {
    const orders: Order[] = []
    what(this.local.peer, orders)
    this.#carryOut(orders)
  }

  #carryOut(orders: Order[]): void {
    const { peer, disk, writes } = this.local
    for (let i = 0; i < orders.length; i++) {
      const order = orders[i] as Order
      // Elections are the oracle's; notifications would only start them.
      if (order.kind === 'send') this.#send(order.to, order.message)
      else if (order.kind === 'sendSnapshot')
        this.#send(order.to, {
          kind: 'snapshotChunk',
          nonce: order.nonce,
          last: true,
          bytes: recording(this.local.applied),
        })
      else if (order.kind === 'write')
        writes.push({ write: order.write, changes: order.changes, committed: peer.committed })
      else if (order.kind === 'prepare')
        orders.push(...step(peer, { kind: 'prepared', zxid: order.zxid, bytes: order.request }))
      else if (order.kind === 'restore') this.local.applied = played(order.chunks)
      else if (order.kind === 'deliver') {
        for (const entry of order.entries) {
          if (!holds(disk, entry.zxid))
            throw new Violation('I9', `${peer.options.id} delivers ${formatZxid(entry.zxid)}, not on its disk`)
          this.local.applied.push(wordOf(entry))
          this.delivered.push(entry.zxid)
        }
      }
    }
  }

  #send(to: ReplicaId, message: Message): void {
    if (message.kind === 'notification') return
    if (message.kind === 'regressed')
      throw new Violation('I6', `${this.local.peer.options.id} takes the store of ${to} for one that went backwards`)
    this.sends.push({ to, message: this.#numberOf(message) })
  }
}

/** I6, I9. */
export function checkLocally(before: Local, { peer, disk }: Local): void {
  const { id } = peer.options
  if (
    disk.acceptedEpoch < before.disk.acceptedEpoch ||
    disk.currentEpoch < before.disk.currentEpoch ||
    disk.currentEpoch > disk.acceptedEpoch
  )
    throw new Violation('I6', `peer ${id}: ${disk.acceptedEpoch}/${disk.currentEpoch}`)
  if (peer.delivered > peer.committed || peer.durable.acceptedEpoch > disk.acceptedEpoch)
    throw new Violation('I9', `peer ${id} shows more than its disk has`)
}

export function thaw({ peer, disk, writes, applied }: Local): Running['local'] {
  const { options, ...rest } = peer
  return structuredClone({ peer: { ...rest, options }, disk, writes: [...writes], applied: [...applied] })
}

export function turn(peer: Peer): void {
  const links = [...peer.links].reverse()
  peer.links.clear()
  for (const [id, state] of links) peer.links.set(id, state)
}

/** Only whether numbers are equal matters, so that what differs in nothing else becomes one state. Links stand in order; `turned` is for the other one. */
export function renumber({ peer, writes }: Running['local']): void {
  const pending = peer.pending.map((one, i) => {
    const { then: was } = one
    const then = 'generation' in was ? { ...was, generation: was.generation === peer.generation ? 1 : 0 } : was
    return { ...one, write: i + 1, then }
  })
  peer.pending.splice(0, pending.length, ...pending)
  peer.generation = 1
  peer.nextWrite = pending.length + 1
  for (const [i, one] of writes.entries()) writes[i] = { ...one, write: i + 1 }
  const links = [...peer.links].sort(([a], [b]) => a - b)
  peer.links.clear()
  for (const [id, state] of links) peer.links.set(id, state)
}

/** What nobody will look at: time stands still, and nobody votes. */
const UNSEEN = new Set(
  'random told patience round resendAt pause agreedAt heardAt progressAt calmAt pingedAt since activeAt now configs'.split(
    ' ',
  ),
)

/** Equal for states that nothing can tell apart. Maps and sets stand by their keys: their order decides only who is sent to first, and each has a channel of its own. */
export function keyOf(value: Local | Message, merged: boolean): string {
  return JSON.stringify(value, (key, inner: unknown) => {
    if (merged && UNSEEN.has(key)) return undefined
    if (key === 'options') return (inner as PeerOptions).id
    if (inner instanceof Map) return [...inner].sort(([a], [b]) => a - b)
    if (inner instanceof Set) return [...inner].sort((a, b) => a - b)
    if (inner instanceof Uint8Array) return [...inner].join()
    return inner
  })
}

export function onDisk(disk: DiskState, pending: Pending): void {
  applyChanges(disk, pending.changes)
  disk.committed = Math.max(disk.base, Math.min(pending.committed, disk.entries.at(-1)?.zxid ?? disk.base)) as Zxid
}

export const holds = (disk: DiskState, zxid: Zxid): boolean =>
  disk.base >= zxid || disk.entries.some((entry) => entry.zxid === zxid)

const wordOf = ({ zxid, bytes }: Entry): string => `${zxid}=${bytes.join()}`

/** What a state machine that starts from this disk has applied once it has come to `upTo`. */
export const replay = (disk: DiskState, upTo: number): string[] => [
  ...played(disk.snapshot),
  ...disk.entries.filter(({ zxid }) => zxid <= upTo).map(wordOf),
]

const recording = (applied: readonly string[]): Uint8Array => new TextEncoder().encode(JSON.stringify(applied))

const played = (chunks: readonly Uint8Array[]): string[] =>
  chunks[0] === undefined ? [] : (JSON.parse(new TextDecoder().decode(chunks[0])) as string[])
