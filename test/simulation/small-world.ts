import type { LinkId, ReplicaId } from '../../src/base/ids.ts'
import { epochOf, formatZxid, type Zxid } from '../../src/base/zxid.ts'
import { majority } from '../../src/zab/quorum.ts'
import { Interned } from './interned.ts'
import { Channels } from './small-channels.ts'
import { type Effect, type Event, SmallPeers, type View } from './small-peer.ts'
import { Violation } from './violation.ts'

/** What may happen at most so often on one path; together they bound the space. */
export interface Bounds {
  readonly peers: number
  readonly transactions: number
  readonly crashes: number
  /** Times that the oracle lets somebody lead: as many epochs. */
  readonly leads: number
  /** Times that it lets somebody follow. */
  readonly follows: number
  /** Times that somebody gives its role up although nothing is wrong: a timeout. */
  readonly stepDowns: number
  /** Times that a link breaks and is replaced: what was on its way is lost. */
  readonly resets: number
}

/** What has happened so far, as far as the bounds and the invariants ask. */
interface Past {
  readonly used: Omit<Bounds, 'peers'>
  /** Who was established in which epoch: `epoch=id`. */
  readonly leaders: readonly string[]
  /** The longest history that anybody has applied. */
  readonly canonical: readonly string[]
}

const BEGINNING: Past = {
  used: { transactions: 0, crashes: 0, leads: 0, follows: 0, stepDowns: 0, resets: 0 },
  leaders: [],
  canonical: [],
}

const DELIVER = 0
const LAND = 1
const CRASH = 2
const REQUEST = 3
const LEAD = 4
const FOLLOW = 5
const STEP_DOWN = 6
const RESET = 7
const KINDS = ['deliver', 'stored', 'crash', 'request', 'lead', 'follow', 'stepDown', 'reset'] as const
/** What each uses up. */
const USES = [null, null, 'crashes', 'transactions', 'leads', 'follows', 'stepDowns', 'resets'] as const
const TURNED = 8

/** An action as a number: its kind, two small numbers, and whether links are looked through backwards. */
const action = (kind: number, a: number, b = 0): number => kind | (a << 4) | (b << 8)
const firstOf = (code: number): number => (code >> 4) & 15
const secondOf = (code: number): number => code >> 8

/** Followers that were early are taken in the order of the links: where that may matter, in both orders. */
function bothWays(actions: number[], code: number, view: View, early: number): void {
  actions.push(code)
  if (view.role === 'looking' && view.early >= early) actions.push(code | TURNED)
}

/**
 * The small world: a state is a row of numbers (the channels, the peers, the past), an action makes one row of another. What an event
 * does to a peer depends on that peer alone, so the core is asked once for each pair of them; everything else is looking up.
 */
export class SmallWorld {
  readonly #bounds: Bounds
  readonly #peers: SmallPeers
  readonly #channels = new Channels()
  readonly #pasts = new Interned<Past>()
  readonly #later = new Map<string, number>()
  readonly #events = new Map<number, number>()
  readonly #first: number
  readonly #last: number
  /** Numbers in a row. */
  readonly width: number

  constructor(bounds: Bounds, merged: boolean) {
    this.#bounds = bounds
    this.#peers = new SmallPeers(bounds.peers, merged)
    this.#first = bounds.peers * (bounds.peers - 1)
    this.#last = this.#first + bounds.peers
    this.width = this.#last + 1
  }

  get counts(): SmallPeers['counts'] {
    return this.#peers.counts
  }

  begin(row: Int32Array): void {
    for (let id = 1; id <= this.#bounds.peers; id++) row[this.#first + id - 1] = this.#peers.begin(id as ReplicaId)
    row[this.#last] = this.#pastId(BEGINNING)
  }

  /** All that may happen next. */
  actions(row: Int32Array): number[] {
    const { peers, crashes, transactions, leads, follows, stepDowns, resets } = this.#bounds
    const { used } = this.#pasts.at(row[this.#last] as number)
    const actions: number[] = []
    // Whoever nothing has happened to yet is like every other such peer: the first of them stands for all.
    const touched = used.crashes + used.leads + used.follows + 2 * used.resets
    for (let id = 1; id <= peers; id++) {
      const view = this.#view(row, id)
      for (let from = 1; from <= peers; from++) {
        if (from !== id && row[this.#channel(from, id)] !== 0) bothWays(actions, action(DELIVER, from, id), view, 1)
      }
      if (view.writes > 0) bothWays(actions, action(LAND, id), view, 2)
      if (view.takesRequests && used.transactions < transactions) actions.push(action(REQUEST, id))
      if (view.role !== 'looking' && used.stepDowns < stepDowns) actions.push(action(STEP_DOWN, id))
      for (let other = id + 1; other <= peers && used.resets < resets; other++) actions.push(action(RESET, id, other))
      if (id > touched + 1) continue
      if (used.crashes < crashes) for (let keep = 0; keep <= view.writes; keep++) actions.push(action(CRASH, id, keep))
      if (!view.free) continue
      if (used.leads < leads) bothWays(actions, action(LEAD, id), view, 2)
      for (let other = 1; other <= peers && used.follows < follows; other++) {
        if (other !== id && this.#view(row, other).role === 'leading') actions.push(action(FOLLOW, id, other))
      }
    }
    return actions
  }

  /** Turns the row into what the action makes of it. A violated invariant is thrown. */
  apply(row: Int32Array, code: number): void {
    const kind = code & 7
    const use = USES[kind]
    if (use !== null && use !== undefined)
      this.#pass(row, use, (past) => ({ ...past, used: { ...past.used, [use]: past.used[use] + 1 } }))
    switch (kind) {
      case CRASH:
        return this.#crash(row, firstOf(code), secondOf(code))
      case RESET:
        return this.#relink(row, firstOf(code), secondOf(code))
      case DELIVER: {
        const channel = this.#channel(firstOf(code), secondOf(code))
        const queue = row[channel] as number
        row[channel] = this.#channels.tail(queue)
        return this.#act(row, secondOf(code), this.#event(code, this.#channels.head(queue)))
      }
      default: {
        const { transactions } = this.#pasts.at(row[this.#last] as number).used
        return this.#act(row, firstOf(code), this.#event(code, kind === REQUEST ? transactions : 0))
      }
    }
  }

  /** An action in words. */
  tell(row: Int32Array, code: number): string {
    const kind = KINDS[code & 7] ?? ''
    const words: (string | number)[] = [kind, firstOf(code)]
    if (kind === 'deliver') {
      const queue = row[this.#channel(firstOf(code), secondOf(code))] as number
      words.push('to', secondOf(code), JSON.stringify(this.#peers.messages.at(this.#channels.head(queue))))
    } else if (kind === 'crash') words.push('keep', secondOf(code))
    else if (kind === 'follow' || kind === 'reset') words.push(secondOf(code))
    return words.join(' ')
  }

  /** What can be seen of a state, whoever is called what. */
  outline(row: Int32Array): string {
    const peers: string[] = []
    for (let id = 1; id <= this.#bounds.peers; id++) {
      const arriving: string[] = []
      for (let from = 1; from <= this.#bounds.peers; from++) {
        if (from === id) continue
        const queue = this.#channels.messages(row[this.#channel(from, id)] as number)
        arriving.push(queue.map((message) => this.#peers.messages.at(message).kind).join())
      }
      peers.push(`${this.#peers.outline(row[this.#first + id - 1] as number)} ← ${arriving.sort().join(' | ')}`)
    }
    return `${peers.sort().join('; ')}; ${JSON.stringify(this.#pasts.at(row[this.#last] as number).used)}`
  }

  #view(row: Int32Array, id: number): View {
    return this.#peers.view(row[this.#first + id - 1] as number)
  }

  #channel(from: number, to: number): number {
    return (from - 1) * (this.#bounds.peers - 1) + (to < from ? to - 1 : to - 2)
  }

  /** The number of the event that an action is to its peer; `detail`: the message, or the request. */
  #event(code: number, detail: number): number {
    const key = detail * 65_536 + code
    let event = this.#events.get(key)
    if (event === undefined) {
      event = this.#peers.eventId(this.#eventOf(code, detail))
      this.#events.set(key, event)
    }
    return event
  }

  #eventOf(code: number, detail: number): Event {
    const turned = (code & TURNED) !== 0
    switch (code & 7) {
      case DELIVER:
        return { kind: 'received', from: firstOf(code) as ReplicaId, message: detail, turned }
      case LAND:
        return { kind: 'landed', turned }
      case REQUEST:
        return { kind: 'requested', request: detail }
      case LEAD:
        return { kind: 'led', turned }
      case STEP_DOWN:
        return { kind: 'gaveUp' }
      default:
        return { kind: 'followed', leader: secondOf(code) as ReplicaId }
    }
  }

  #crash(row: Int32Array, id: number, keep: number): void {
    const link = this.#nextLink(row)
    this.#act(row, id, this.#peers.eventId({ kind: 'crashed', keep, link }))
    for (let other = 1; other <= this.#bounds.peers; other++) {
      if (other === id) continue
      this.#clear(row, id, other)
      this.#act(row, other, this.#peers.eventId({ kind: 'relinked', to: id as ReplicaId, link }))
    }
  }

  #relink(row: Int32Array, a: number, b: number): void {
    const link = this.#nextLink(row)
    this.#clear(row, a, b)
    this.#act(row, a, this.#peers.eventId({ kind: 'relinked', to: b as ReplicaId, link }))
    this.#act(row, b, this.#peers.eventId({ kind: 'relinked', to: a as ReplicaId, link }))
  }

  #clear(row: Int32Array, a: number, b: number): void {
    row[this.#channel(a, b)] = 0
    row[this.#channel(b, a)] = 0
  }

  /** The id of a new link only has to differ from those that were. */
  #nextLink(row: Int32Array): LinkId {
    const { crashes, resets } = this.#pasts.at(row[this.#last] as number).used
    return (crashes + resets + 1) as LinkId
  }

  #act(row: Int32Array, id: number, event: number): void {
    const at = this.#first + id - 1
    const before = row[at] as number
    const effect = this.#peers.effect(before, event)
    row[at] = effect.next
    for (const { to, message } of effect.sends) {
      const channel = this.#channel(id, to)
      row[channel] = this.#channels.push(row[channel] as number, message)
    }
    this.#check(row, id, before, effect)
  }

  /** I1 to I4; what concerns one peer alone (I6, I9) is checked where its states are made. */
  #check(row: Int32Array, id: number, before: number, { next, delivered }: Effect): void {
    const [was, is] = [this.#peers.view(before), this.#peers.view(next)]
    if (is.epoch !== 0 && is.epoch !== was.epoch) {
      this.#pass(row, `${id} leads ${is.epoch}`, (past) => {
        const other = past.leaders.find((one) => one.startsWith(`${is.epoch}=`) && one !== `${is.epoch}=${id}`)
        if (other !== undefined) throw new Violation('I1', `epoch ${is.epoch}: ${id}, and ${other}`)
        // I3. A later epoch may have committed more: a leader that was overtaken without knowing it is harmless.
        const log = new Set(is.log())
        const lost = past.canonical.find(
          (word) => epochOf(Number.parseInt(word, 10) as Zxid) < is.epoch && !log.has(word),
        )
        if (lost !== undefined) throw new Violation('I3', `${id} leads epoch ${is.epoch} without ${lost}`)
        return { ...past, leaders: [...new Set([...past.leaders, `${is.epoch}=${id}`])].sort() }
      })
    }
    if (is.applied !== was.applied) {
      this.#pass(row, `applied ${is.applied}`, (past) => {
        const mine = this.#peers.appliedAt(is.applied)
        const wrong = mine.findIndex((word, at) => at < past.canonical.length && past.canonical[at] !== word)
        if (wrong >= 0)
          throw new Violation('I2', `peer ${id} has ${mine[wrong]} at ${wrong}, others ${past.canonical[wrong]}`)
        return mine.length > past.canonical.length ? { ...past, canonical: mine } : past
      })
    }
    for (const zxid of delivered) this.#quorumHas(row, zxid)
  }

  /** I4; every entry is of the one configuration. */
  #quorumHas(row: Int32Array, zxid: Zxid): void {
    let have = 0
    for (let id = 1; id <= this.#bounds.peers; id++) if (this.#view(row, id).holds(zxid)) have++
    if (have < majority(this.#bounds.peers))
      throw new Violation('I4', `${formatZxid(zxid)} is delivered with ${have} disks`)
  }

  #pass(row: Int32Array, what: string, change: (past: Past) => Past): void {
    const past = row[this.#last] as number
    const key = `${past} ${what}`
    let next = this.#later.get(key)
    if (next === undefined) {
      next = this.#pastId(change(this.#pasts.at(past)))
      this.#later.set(key, next)
    }
    row[this.#last] = next
  }

  #pastId(past: Past): number {
    return this.#pasts.idOf(JSON.stringify(past), () => past)
  }
}
