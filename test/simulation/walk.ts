import type { EnsembleId, LinkId, ReplicaId } from '../../src/base/ids.ts'
import { TIMES } from '../../src/base/limits.ts'
import { makeZxid } from '../../src/base/zxid.ts'
import { Writer } from '../../src/jute/writer.ts'
import type { Order } from '../../src/zab/facts.ts'
import { encodeConfig, foundingEntries } from '../../src/zab/membership.ts'
import type { Message } from '../../src/zab/messages.ts'
import { makePeer, type Peer } from '../../src/zab/peer.ts'
import { startFollowing, startLeading, stepDown } from '../../src/zab/roles.ts'
import { step } from '../../src/zab/step.ts'
import { Chance } from './chance.ts'
import { Checkers } from './checkers.ts'
import { copyOf, type DiskState, emptyDisk, goBack, recover } from './disk.ts'
import { land, play, recording, rewind, type Walker } from './walker.ts'

const ENSEMBLE = '0123456789abcdef0123456789abcdef' as EnsembleId
const SAME_BROWSER = 'one'

export interface WalkOptions {
  readonly voters: number
  readonly observers: number
  /** How many observers each takes below itself. */
  readonly room: number
  readonly steps: number
}

/**
 * An untimed walk: the product's core over FIFO channels and FIFO disks, and an oracle instead of the election: anybody may
 * be told to lead or to follow anybody at any moment. It reaches in seconds what timed lives hardly ever meet.
 */
export class Walk {
  readonly #chance: Chance
  readonly #walkers: Walker[] = []
  readonly #checkers: Checkers
  readonly #channels = new Map<string, { readonly link: LinkId; readonly message: Message }[]>()
  readonly #links = new Map<string, LinkId>()
  readonly #weights: readonly number[]
  readonly marks = new Map<string, number>()
  readonly trail: string[] = []
  /** By their numbers, as far as the walk went. */
  readonly actions: number[] = []
  readonly #seed: number
  #nextLink = 1
  #request = 0
  #turns: boolean
  readonly #backwards: boolean
  readonly #observersMax: number
  readonly #copies = new Map<Walker, DiskState>()

  constructor(seed: number, options: WalkOptions) {
    this.#seed = seed
    this.#chance = new Chance(seed, 'walk')
    this.#observersMax = options.room
    const ids = Array.from({ length: options.voters + options.observers }, (_, i) => (i + 1) as ReplicaId)
    const voters = ids.slice(0, options.voters)
    const [first, format] = foundingEntries(ENSEMBLE, 1 as ReplicaId, [makeZxid(0, 1), makeZxid(0, 2)])
    const config = {
      zxid: makeZxid(0, 1),
      kind: 'config',
      bytes: encodeConfig({ ensemble: ENSEMBLE, voters, old: null }),
    } as const
    void first
    this.#checkers = new Checkers(
      () => this.#walkers.map(({ disk }) => disk),
      () => this.#walkers.map(({ peer }) => peer),
    )
    for (const id of ids) {
      const founding = voters.includes(id) && format !== undefined ? [config, format] : []
      const disk = emptyDisk(ENSEMBLE, id, founding)
      this.#walkers.push({ id, disk, peer: this.#peer(disk), writes: [], position: 0, sum: 0, count: 0 })
    }
    const c = this.#chance
    const often = (): number => c.pick([0.2, 1, 1, 5])
    //                deliver         disk     propose  lead           follow         step down      crash             reset              turn end           tick            reconfig
    this.#weights = [
      20 * often(),
      8 * often(),
      often(),
      0.3 * often(),
      3 * often(),
      0.15 * often(),
      0.3 * often(),
      0.15 * often(),
      0.15 * often(),
      0.2 * often(),
      0.3 * often(),
    ]
    this.#turns = c.is(0.5)
    this.#backwards = c.is(0.4)
    if (this.#backwards) for (const walker of this.#walkers) this.#copies.set(walker, copyOf(walker.disk))
  }

  #peer(disk: DiskState): Peer {
    const recovered = recover(disk)
    return makePeer(
      {
        id: disk.replica,
        browser: SAME_BROWSER,
        format: 1,
        voters: 3,
        timing: TIMES,
        proposalsInFlightMax: 64,
        batchBytesMax: 1 << 20,
        historyEntriesMax: this.#chance.pick([2, 8, 1000]),
        observersMax: this.#observersMax,
        seed: this.#chance.uint(),
      },
      recovered,
      1,
    )
  }

  /** `only`: of all actions these. Each draws from a stream of its own, so that one left out does not change the others' choices. */
  run(steps: number, only?: ReadonlySet<number>): void {
    for (const walker of this.#walkers) this.#step(walker, { kind: 'ticked', now: 1 })
    for (const { id: a } of this.#walkers) for (const { id: b } of this.#walkers) if (a < b) this.#connect(a, b)
    for (let i = 0; i < steps; i++) {
      if (only !== undefined && !only.has(i)) continue
      this.actions.push(i)
      this.#chance.turnTo(this.#seed, i)
      this.#act()
    }
  }

  #act(): void {
    const c = this.#chance
    let total = 0
    for (const weight of this.#weights) total += weight
    let at = c.real() * total
    let action = 0
    for (; action < this.#weights.length - 1; action++) {
      at -= this.#weights[action] as number
      if (at < 0) break
    }
    const walker = c.pick(this.#walkers)
    switch (action) {
      case 0:
        return this.#deliver()
      case 1:
        return this.#land(walker, walker.writes.length)
      case 2:
        return this.#propose(walker)
      case 3:
        return this.#lead(walker)
      case 4:
        return this.#follow(walker, c.pick(this.#walkers))
      case 5: {
        this.#say('stepDown', walker.id)
        return this.#force(walker, (peer, orders) => stepDown(peer, 'the walk says so', orders))
      }
      case 6:
        return this.#crash(walker)
      case 7: {
        const other = c.pick(this.#walkers)
        if (other !== walker) {
          this.#say('reset', walker.id, other.id)
          this.#connect(walker.id, other.id)
        }
        return
      }
      case 8:
        this.#turns = c.is(0.5)
        return
      case 9: {
        const now = walker.peer.now + c.pick([0, 50, 300, 1100])
        this.#say('tick', walker.id, now)
        return this.#step(walker, { kind: 'ticked', now })
      }
      default:
        return this.#reconfig(walker)
    }
  }

  #reconfig(walker: Walker): void {
    if (walker.peer.role.kind !== 'leading') return
    const voters = this.#walkers.map(({ id }) => id).filter(() => this.#chance.is(0.6))
    if (voters.length % 2 === 0) voters.pop()
    this.#say('reconfig', walker.id, voters.join())
    this.#step(walker, { kind: 'reconfigRequested', tag: 1, voters })
  }

  #say(...words: (string | number)[]): void {
    this.trail.push(words.join(' '))
  }

  #connect(a: ReplicaId, b: ReplicaId): void {
    const link = this.#nextLink++ as LinkId
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      this.#channels.set(`${from} ${to}`, [])
      const walker = this.#walker(from)
      const old = this.#links.get(`${from} ${to}`)
      if (old !== undefined) this.#step(walker, { kind: 'linkClosed', peer: to, link: old, reason: 'reset' })
      this.#links.set(`${from} ${to}`, link)
    }
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const about = { incarnation: 1, browser: SAME_BROWSER, format: 1 }
      this.#step(this.#walker(from), { kind: 'linkOpened', peer: to, link, about })
    }
  }

  #walker(id: ReplicaId): Walker {
    return this.#walkers[id - 1] as Walker
  }

  #deliver(): void {
    const full = [...this.#channels].filter(([, queue]) => queue.length > 0)
    if (full.length === 0) return
    const [key, queue] = this.#chance.pick(full)
    const [from, to] = key.split(' ').map(Number) as [ReplicaId, ReplicaId]
    const next = queue.shift()
    if (next === undefined || next.link !== this.#links.get(key)) return
    this.#say('deliver', from, to, next.message.kind)
    this.#step(this.#walker(to), { kind: 'received', from, link: next.link, message: next.message })
  }

  #land(walker: Walker, most: number): void {
    if (most === 0) return
    const count = this.#chance.int(1, most)
    this.#say('disk', walker.id, count)
    let last = 0
    for (const pending of walker.writes.splice(0, count)) {
      land(walker, pending)
      last = pending.write
    }
    this.#step(walker, { kind: 'stored', write: last })
  }

  #propose(walker: Walker): void {
    this.#say('request', walker.id)
    this.#step(walker, { kind: 'requested', requests: [new Writer().int(++this.#request).finish()] })
  }

  /** The oracle: whoever looks and has said all that its disk holds may believe that it was elected. */
  #lead(walker: Walker): void {
    const { role } = walker.peer
    if (
      role.kind !== 'looking' ||
      role.settling ||
      walker.peer.demoted ||
      !walker.peer.history.configs.at(-1)?.config.voters.includes(walker.id)
    )
      return
    this.#say('lead', walker.id)
    this.#force(walker, startLeading)
  }

  #follow(walker: Walker, leader: Walker): void {
    const { role } = walker.peer
    if (walker === leader || role.kind !== 'looking' || role.settling || leader.peer.role.kind === 'looking') return
    this.#say('follow', walker.id, leader.id)
    this.#force(walker, (peer, orders) => startFollowing(peer, leader.id, orders))
  }

  #force(walker: Walker, act: (peer: Peer, orders: Order[]) => void): void {
    const orders: Order[] = []
    act(walker.peer, orders)
    this.#carryOut(walker, orders)
  }

  #crash(walker: Walker): void {
    const keep = this.#chance.int(0, walker.writes.length)
    this.#say('crash', walker.id, keep)
    for (const pending of walker.writes.slice(0, keep)) land(walker, pending)
    walker.writes.length = 0
    this.#goBack(walker)
    walker.peer = this.#peer(walker.disk)
    walker.position = this.#checkers.positionAfter(walker.disk.base)
    rewind(walker, walker.disk.snapshot)
    for (const entry of walker.disk.entries) {
      if (entry.zxid > walker.disk.committed) break
      walker.position = this.#checkers.replayed(walker.disk, walker.position, entry.zxid, entry.bytes)
      play(walker, entry.bytes)
    }
    for (const other of this.#walkers) if (other !== walker) this.#connect(walker.id, other.id)
    this.#step(walker, { kind: 'ticked', now: walker.peer.now })
  }

  /** Some disks go back to an older state when they crash, and their owners can tell. */
  #goBack(walker: Walker): void {
    const copy = this.#copies.get(walker)
    if (!this.#backwards || !this.#chance.is(0.5)) return
    if (copy === undefined || this.#chance.is(0.3)) {
      this.#copies.set(walker, copyOf(walker.disk))
      return
    }
    this.#say('backwards', walker.id)
    goBack(walker.disk, copy, true)
    this.#checkers.forgive(walker.disk)
  }

  #step(walker: Walker, fact: Parameters<typeof step>[1]): void {
    this.#carryOut(walker, step(walker.peer, fact))
    if (this.#turns || this.#chance.is(0.3)) this.#carryOut(walker, step(walker.peer, { kind: 'turnEnded' }))
    this.#checkers.afterEvent(walker.peer, walker.disk)
  }

  #carryOut(walker: Walker, orders: Order[]): void {
    for (let i = 0; i < orders.length; i++) {
      const order = orders[i] as Order
      if (order.kind === 'send') {
        this.#checkers.sent(walker.peer, walker.disk, order.message)
        const key = `${walker.id} ${order.to}`
        // Elections are the oracle's; notifications would only start them.
        if (order.message.kind !== 'notification' && this.#links.get(key) === order.link) {
          this.#channels.get(key)?.push({ link: order.link, message: order.message })
        }
      } else if (order.kind === 'sendSnapshot') {
        const bytes = recording(walker)
        const message: Message = { kind: 'snapshotChunk', nonce: order.nonce, last: true, bytes }
        this.#channels.get(`${walker.id} ${order.to}`)?.push({ link: order.link, message })
      } else if (order.kind === 'write') {
        walker.writes.push({ write: order.write, changes: order.changes, committed: walker.peer.committed })
      } else if (order.kind === 'prepare') {
        const bytes = new Writer().long(order.zxid).buffer(order.request).finish()
        orders.push(...step(walker.peer, { kind: 'prepared', zxid: order.zxid, bytes }))
      } else if (order.kind === 'deliver') {
        for (const entry of order.entries) {
          walker.position = this.#checkers.delivered(walker.peer, walker.position, entry.zxid, entry.bytes)
          play(walker, entry.bytes)
          this.#checkers.digest(walker.id, entry.zxid, `${walker.count}:${walker.sum}`)
        }
      } else if (order.kind === 'restore') {
        walker.position = this.#checkers.positionAfter(order.zxid)
        rewind(walker, order.chunks)
      } else if (order.kind === 'mark') {
        this.marks.set(order.name, (this.marks.get(order.name) ?? 0) + 1)
      }
    }
  }

  get committed(): number {
    return this.#checkers.committed
  }
}
