import type { ReplicaId } from '../../src/base/ids.ts'
import { TIMES } from '../../src/base/limits.ts'
import type { Zxid } from '../../src/base/zxid.ts'
import type { Platform } from '../../src/replica/api.ts'
import { Replica } from '../../src/replica/replica.ts'
import type { ReplicaServer, ServerOrder } from '../../src/server/orders.ts'
import { PEER_VERSION_MAX } from '../../src/transport/codec.ts'
import type { PeerLink } from '../../src/transport/peer-link.ts'
import type { PeerAbout } from '../../src/zab/facts.ts'
import type { Chance } from './chance.ts'
import type { Checkers } from './checkers.ts'
import { type DiskFaults, type DiskState, recover, SimulatedLog } from './disk.ts'
import type { Journal } from './history/journal.ts'
import type { Station } from './network.ts'
import type { Truth } from './truth.ts'
import type { World } from './world.ts'

export interface NodeOptions {
  readonly world: World
  readonly disk: DiskState
  readonly diskFaults: DiskFaults
  readonly checkers: Checkers
  /** Where clients are recorded: what is delivered is, too. */
  readonly journal: Journal | null
  readonly browser: string
  readonly voters: 1 | 3 | 5
  readonly snapshotEvery: number
  readonly historyEntriesMax: number
  readonly observersMax: number
  /** See Swarm. */
  readonly deployedAt: number | null
  readonly lasting: boolean
  readonly phone: boolean
  readonly handoverAfterHidden: number
  /** It has issued a write, or one is on the disk and it has not heard of it. */
  /** Its link says what is not so: what it makes of the answers proves nothing. */
  readonly lies: boolean
  readonly onDisk: (kind: 'issue' | 'stored') => void
  readonly makeServer: () => ReplicaServer
  /** Of the product's server. */
  readonly truth: Truth | null
  readonly marks: Map<string, number>
  /** An invariant was broken, by a checker's or the replica's own account. */
  readonly onBroken: (cause: unknown) => void
}

/** One tab's replica through its lives: the product's Replica on a simulated disk, clock and network. */
export class Node implements Station {
  readonly options: NodeOptions
  boot = 0
  frozen = false
  readonly backlog: (() => void)[] = []
  replica: Replica | null = null
  log: SimulatedLog | null = null
  server: ReplicaServer | null = null
  #position = 0
  /** Ends of clients' connections to the present life. */
  readonly pipes = new Set<(reason: string, after: number) => void>()
  /** Why the last life ended by itself. */
  ended: string | null = null

  constructor(options: NodeOptions) {
    this.options = options
  }

  get id(): ReplicaId {
    return this.options.disk.replica
  }

  get about(): PeerAbout {
    return {
      incarnation: this.options.disk.incarnation,
      browser: this.options.browser,
      format: this.format,
      // A build that knows no later format is one that speaks no later version.
      version: this.options.deployedAt === null ? PEER_VERSION_MAX : this.format,
      lasting: this.options.lasting,
      phone: this.options.phone,
    }
  }

  /** The highest log format that its build knows. */
  format = 1

  get alive(): boolean {
    return this.replica !== null
  }

  start(): void {
    if (this.retired) return
    const { world, disk, checkers } = this.options
    this.boot++
    const { deployedAt } = this.options
    this.format = deployedAt !== null && world.now >= deployedAt ? 2 : 1
    this.frozen = false
    this.backlog.length = 0
    this.ended = null
    disk.incarnation++
    const platform: Platform = {
      now: () => world.now,
      wall: () => 1_800_000_000_000 + world.now,
      entropy: (length) => world.chance('entropy').bytes(length),
      every: (ms, tick) => {
        let on = true
        const again = (): void => {
          if (!on) return
          tick()
          world.after(ms, this, again)
        }
        world.after(ms, this, again)
        return () => {
          on = false
        }
      },
      soon: (turn) => world.after(0, this, turn),
    }
    this.log = new SimulatedLog(world, this, disk, this.options.diskFaults, this.options.onDisk)
    const server = this.#checked(this.options.makeServer())
    this.server = server
    this.#position = checkers.positionAfter(disk.base)
    const replica = new Replica({
      log: this.log,
      recovered: recover(disk),
      server,
      platform,
      browser: this.options.browser,
      voters: this.options.voters,
      timing: { ...TIMES, handoverAfterHidden: this.options.handoverAfterHidden },
      snapshotEvery: this.options.snapshotEvery,
      historyEntriesMax: this.options.historyEntriesMax,
      observersMax: this.options.observersMax,
      format: this.format,
      lasting: this.options.lasting,
      listener: {
        changed: () => undefined,
        leading: () => undefined,
        notLeading: () => undefined,
        notice: () => undefined,
        ended: (why) => {
          if (this.replica === replica) {
            this.ended = why === null ? 'closed' : `${why.code}: ${why.message}`
            this.#gone()
            if (why !== null && why.code === 'WorkerFailed' && !this.options.lies)
              this.options.onBroken(why.cause ?? why)
          }
        },
      },
    })
    this.replica = replica
    this.started = true
    replica.start()
    if (this.hidden) replica.pageHidden(true)
  }

  /** Its page is. */
  hidden = false

  hide(hidden: boolean): void {
    this.hidden = hidden
    this.replica?.pageHidden(hidden)
  }

  started = false
  /** Broken for good. */
  retired = false

  /** Every applied entry is held against what the others applied. The first deliveries replay the log inside the constructor. */
  #checked(server: ReplicaServer): ReplicaServer {
    if (this.options.lies) return server
    const { checkers, disk, journal, truth } = this.options
    const check = (zxid: Zxid, bytes: Uint8Array): void => {
      const peer = this.replica?.peer
      if (peer === undefined) {
        this.#position = checkers.replayed(this.options.disk, this.#position, zxid, bytes)
        return
      }
      this.#position = checkers.delivered(peer, this.#position, zxid, bytes)
    }
    const apply = server.apply.bind(server)
    const applyConfig = server.applyConfig.bind(server)
    const restore = server.restore.bind(server)
    server.apply = (zxid, txn): ServerOrder[] => {
      check(zxid, txn)
      journal?.txn(zxid, txn)
      truth?.txn(zxid, txn)
      const orders = apply(zxid, txn)
      if (journal?.closes(zxid) === true) journal.states.push({ replica: disk.replica, zxid, ...server.status() })
      checkers.digest(disk.replica, zxid, server.digest)
      return orders
    }
    server.applyConfig = (zxid, text): ServerOrder[] => {
      check(zxid, new TextEncoder().encode(text))
      journal?.config(zxid, text)
      truth?.config(zxid, text)
      return applyConfig(zxid, text)
    }
    server.restore = (zxid, chunks): void => {
      this.#position = checkers.positionAfter(zxid)
      restore(zxid, chunks)
    }
    return server
  }

  linkOpened(link: PeerLink): void {
    if (this.replica === null) link.close('not there')
    else this.replica.linkOpened(link)
  }

  crash(chance: Chance = this.options.world.chance('crash')): void {
    if (this.log !== null) this.log.crash(chance.int(0, this.log.pending))
    this.#gone()
  }

  #gone(): void {
    const replica = this.replica
    if (replica !== null) {
      const { marks } = this.options
      // Marks of a finished life are kept.
      void replica.inspect().then((state) => {
        for (const [name, count] of Object.entries(state.marks)) marks.set(name, (marks.get(name) ?? 0) + count)
      })
    }
    for (const end of this.pipes) end('the replica is gone', this.options.world.chance('net').int(20, 100))
    this.pipes.clear()
    this.replica = null
    this.server = null
    this.boot++
    this.frozen = false
    this.backlog.length = 0
  }

  freeze(): void {
    this.frozen = true
  }

  thaw(): void {
    this.frozen = false
    const backlog = this.backlog.splice(0)
    for (const run of backlog) this.options.world.after(0, this, run)
  }
}
