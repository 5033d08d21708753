import type { EnsembleId, LinkId, ReplicaId } from '../../src/base/ids.ts'
import { TIMES } from '../../src/base/limits.ts'
import { formatZxid, makeZxid, type Zxid } from '../../src/base/zxid.ts'
import type { Fact } from '../../src/zab/facts.ts'
import { encodeConfig, encodeFormat } from '../../src/zab/membership.ts'
import type { Message } from '../../src/zab/messages.ts'
import type { PeerOptions } from '../../src/zab/options.ts'
import { makePeer, type Peer } from '../../src/zab/peer.ts'
import { startFollowing, startLeading, stepDown } from '../../src/zab/roles.ts'
import { type DiskState, emptyDisk, recover } from './disk.ts'
import { Interned } from './interned.ts'
import { checkLocally, holds, keyOf, type Local, onDisk, Running, renumber, replay, thaw, turn } from './small-local.ts'
import type { Pending } from './walker.ts'

/** What can happen to one peer. `turned`: the links are looked through in the opposite order, which matters when several followers were early. */
export type Event =
  | { readonly kind: 'received'; readonly from: ReplicaId; readonly message: number; readonly turned: boolean }
  | { readonly kind: 'landed'; readonly turned: boolean }
  | { readonly kind: 'led'; readonly turned: boolean }
  | { readonly kind: 'followed'; readonly leader: ReplicaId }
  | { readonly kind: 'gaveUp' }
  | { readonly kind: 'requested'; readonly request: number }
  /** So many of the issued writes reached the disk; all links are new ones. */
  | { readonly kind: 'crashed'; readonly keep: number; readonly link: LinkId }
  | { readonly kind: 'relinked'; readonly to: ReplicaId; readonly link: LinkId }

/** What it does, seen from outside. */
export interface Effect {
  readonly next: number
  readonly sends: readonly { readonly to: ReplicaId; readonly message: number }[]
  readonly delivered: readonly Zxid[]
}

/** What the search has to know of a local state at every step. */
export interface View {
  readonly writes: number
  readonly role: Peer['role']['kind']
  /** May the oracle give it a role? */
  readonly free: boolean
  readonly takesRequests: boolean
  /** Of an established leader, else 0. */
  readonly epoch: number
  /** How many followed it before it led. */
  readonly early: number
  readonly applied: number
  readonly holds: (zxid: Zxid) => boolean
  /** What its disk holds, as it would be applied. */
  readonly log: () => readonly string[]
}

const ENSEMBLE = '0'.repeat(32) as EnsembleId

/**
 * Every state that one peer can be in, by number, and what each event does to it, computed once by the product's core. There are few
 * of them; it is their combinations that are many.
 */
export class SmallPeers {
  readonly #locals = new Interned<{
    readonly local: Local
    readonly view: View
    readonly effects: Map<number, Effect>
  }>()
  readonly #events = new Interned<Event>()
  readonly #applied = new Interned<readonly string[]>()
  readonly messages = new Interned<Message>()
  readonly #ids: readonly ReplicaId[]
  readonly #merged: boolean
  #steps = 0

  /** `merged`: states that differ only in what nobody will ever look at are one. */
  constructor(size: number, merged: boolean) {
    this.#merged = merged
    this.#ids = Array.from({ length: size }, (_, i) => (i + 1) as ReplicaId)
  }

  /** Looking, linked to everybody, nothing said yet. */
  begin(id: ReplicaId): number {
    const founding = [
      {
        zxid: makeZxid(0, 1),
        kind: 'config',
        bytes: encodeConfig({ ensemble: ENSEMBLE, voters: this.#ids, old: null }),
      },
      { zxid: makeZxid(0, 2), kind: 'format', bytes: encodeFormat(1) },
    ] as const
    const disk = emptyDisk(ENSEMBLE, id, founding)
    return this.#numberOf(this.#start(id, disk, 1 as LinkId))
  }

  view(local: number): View {
    return this.#locals.at(local).view
  }

  /** The history with this number. */
  appliedAt(applied: number): readonly string[] {
    return this.#applied.at(applied)
  }

  eventId(event: Event): number {
    return this.#events.idOf(JSON.stringify(event), () => event)
  }

  effect(local: number, event: number): Effect {
    const { effects } = this.#locals.at(local)
    let effect = effects.get(event)
    if (effect === undefined) {
      effect = this.#compute(this.#locals.at(local).local, this.#events.at(event))
      effects.set(event, effect)
    }
    return effect
  }

  /** What can be seen of it, but not who it is. */
  outline(local: number): string {
    const { peer, disk, writes, applied } = this.#locals.at(local).local
    const { role } = peer
    const phase = role.kind === 'looking' ? (role.settling ? 'settling' : '') : `${role.phase} of ${role.epoch}`
    const log = disk.entries.map(({ zxid }) => formatZxid(zxid))
    return `${role.kind} ${phase}, disk ${disk.acceptedEpoch}/${disk.currentEpoch} ${log}, ${writes.length} writes, ${applied.length} applied`
  }

  /** Different states of a peer, and steps that the core was asked for. */
  get counts(): { readonly locals: number; readonly steps: number } {
    return { locals: this.#locals.size, steps: this.#steps }
  }

  #start(id: ReplicaId, disk: DiskState, link: LinkId): Running['local'] {
    const peer = makePeer(optionsOf(id), recover(disk), 1)
    const local = this.#running({ peer, disk, writes: [], applied: replay(disk, disk.committed) })
    for (const to of this.#ids) if (to !== id) local.act(opened(to, link))
    local.act({ kind: 'ticked', now: 1 })
    return local.local
  }

  #running(local: Running['local']): Running {
    return new Running(local, (message) => this.messages.idOf(keyOf(message, false), () => message))
  }

  #compute(before: Local, event: Event): Effect {
    this.#steps++
    const running = this.#running(thaw(before))
    const { peer, disk, writes } = running.local
    switch (event.kind) {
      case 'received': {
        const link = peer.links.get(event.from)?.link
        if (event.turned) turn(peer)
        if (link !== undefined)
          running.act({ kind: 'received', from: event.from, link, message: this.messages.at(event.message) })
        break
      }
      case 'landed': {
        const first = writes.shift() as Pending
        if (event.turned) turn(peer)
        onDisk(disk, first)
        running.act({ kind: 'stored', write: first.write })
        break
      }
      case 'led':
        if (event.turned) turn(peer)
        running.force(startLeading)
        break
      case 'followed':
        running.force((mine, orders) => startFollowing(mine, event.leader, orders))
        break
      case 'gaveUp':
        running.force((mine, orders) => stepDown(mine, 'timeout', orders))
        break
      case 'requested':
        running.act({ kind: 'requested', requests: [new Uint8Array([event.request])] })
        break
      case 'crashed': {
        for (const pending of writes.slice(0, event.keep)) onDisk(disk, pending)
        const next = this.#start(peer.options.id, disk, event.link)
        return { next: this.#numberOf(next), sends: [], delivered: [] }
      }
      case 'relinked': {
        const old = peer.links.get(event.to)?.link
        if (old !== undefined) running.act({ kind: 'linkClosed', peer: event.to, link: old, reason: 'reset' })
        running.act(opened(event.to, event.link))
        break
      }
    }
    const { local, sends, delivered } = running
    checkLocally(before, local)
    return { next: this.#numberOf(local), sends, delivered }
  }

  #numberOf(local: Running['local']): number {
    if (this.#merged) renumber(local)
    return this.#locals.idOf(keyOf(local, this.#merged), () => ({
      local,
      view: this.#viewOf(local),
      effects: new Map(),
    }))
  }

  #viewOf({ peer, disk, writes, applied }: Local): View {
    const { role } = peer
    return {
      writes: writes.length,
      role: role.kind,
      free: role.kind === 'looking' && !role.settling,
      takesRequests: role.kind === 'leading' && role.phase === 'broadcast',
      epoch: role.kind === 'leading' && role.phase !== 'discovery' ? role.epoch : 0,
      early: [...peer.links.values()].filter(({ early }) => early !== null).length,
      applied: this.#applied.idOf(JSON.stringify(applied), () => applied),
      holds: (zxid) => holds(disk, zxid),
      log: () => replay(disk, Number.POSITIVE_INFINITY),
    }
  }
}

const optionsOf = (id: ReplicaId): PeerOptions => ({
  id,
  browser: 'one',
  format: 1,
  voters: 3,
  timing: TIMES,
  proposalsInFlightMax: 64,
  batchBytesMax: 1 << 20,
  historyEntriesMax: 1000,
  observersMax: 8,
  seed: 1,
})

const opened = (peer: ReplicaId, link: LinkId): Fact => ({
  kind: 'linkOpened',
  peer,
  link,
  about: { incarnation: 1, browser: 'one', format: 1 },
})
