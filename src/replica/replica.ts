import { KeeperError } from '../base/errors.ts'
import type { ReplicaId, SessionId } from '../base/ids.ts'
import { TIMES } from '../base/limits.ts'
import type { ConnectionInfo, ReplicaServer, ServerOrder } from '../server/orders.ts'
import type { PeerLink } from '../transport/peer-link.ts'
import type { Fact, Order } from '../zab/facts.ts'
import { demandReadable } from '../zab/format.ts'
import { FORMAT_VERSION } from '../zab/membership.ts'
import { makePeer, type Peer } from '../zab/peer.ts'
import { step } from '../zab/step.ts'
import { Announcer } from './announcer.ts'
import type { ClientPipe, Platform, ReplicaHost, ReplicaState } from './api.ts'
import { Connections } from './connections.ts'
import { deliverEntries } from './delivery.ts'
import { DigestWatch } from './digest-watch.ts'
import { Disk } from './disk.ts'
import type { Heard } from './heard.ts'
import { inspectReplica } from './inspection.ts'
import { Outbox } from './outbox.ts'
import { peerOptionsOf, type ReplicaOptions } from './peer-options.ts'
import { Reconfigs } from './reconfigs.ts'
import { SnapshotMeter } from './snapshot-progress.ts'

/**
 * The host of one peer: inbox → step → carry out the orders → inbox. Facts that arrive while the disk writes gather in the inbox, so
 * batches come by themselves. Nothing else calls `step`, and nothing here decides.
 */
export class Replica implements ReplicaHost {
  readonly #options: ReplicaOptions
  readonly #server: ReplicaServer
  readonly #platform: Platform
  readonly #peer: Peer
  readonly #outbox = new Outbox()
  readonly #disk: Disk
  readonly #connections: Connections
  readonly #marks = new Map<string, number>()
  readonly #reconfigs = new Reconfigs()
  readonly #announcer: Announcer
  readonly #digests: DigestWatch
  readonly #snapshots = new SnapshotMeter()
  #inbox: Heard[] = []
  #scheduled = false
  #stopTicks: (() => void) | null = null
  #heardAt: number
  #touchedAt = 0
  #leading = false
  #serving = false
  #ended = false
  #role: ReplicaState['role'] = 'looking'
  #leader: ReplicaId | null = null
  readonly #closing: (() => void)[] = []

  constructor(options: ReplicaOptions) {
    const { recovered, server, platform } = options
    this.#options = options
    this.#server = server
    this.#platform = platform
    this.#heardAt = platform.now()
    this.#announcer = new Announcer(options.listener)
    this.#digests = new DigestWatch(server)
    demandReadable(recovered, options.format ?? FORMAT_VERSION)
    server.restore(recovered.base, recovered.snapshot)
    this.#peer = makePeer(peerOptionsOf(options), recovered, platform.now())
    const committed = recovered.entries.filter((entry) => entry.zxid <= recovered.committed)
    deliverEntries(server, committed)
    this.#disk = new Disk(options.log, (fact) => this.#hear(fact))
    this.#connections = new Connections((heard) => this.#hear(heard))
  }

  start(): void {
    this.#stopTicks = this.#platform.every(TIMES.tick, () => this.#tick())
    this.#tick()
  }

  linkOpened(link: PeerLink): void {
    if (this.#ended) return link.close('this replica has ended')
    this.#outbox.add(link)
    link.onmessages = (messages) => {
      for (const message of messages) this.#hear({ kind: 'received', from: link.peer, link: link.link, message })
    }
    link.onclose = (reason, bad) => {
      this.#outbox.remove(link)
      if (bad) {
        this.#count('bad-peer')
        this.#options.listener.notice('BadPeer', `the link to ${link.peer} was closed: ${reason}`, link.peer)
      }
      this.#hear({ kind: 'linkClosed', peer: link.peer, link: link.link, reason })
    }
    this.#hear({ kind: 'linkOpened', peer: link.peer, link: link.link, about: link.about })
  }

  peerGone(peer: ReplicaId, reason: string): void {
    this.#hear({ kind: 'peerGone', peer, reason })
  }

  clientConnected(pipe: ClientPipe, info: ConnectionInfo): boolean {
    const serves = !this.#ended && this.#serving
    if (serves) this.#connections.add(pipe, info)
    else pipe.close()
    return serves
  }

  answerOffline(packet: Uint8Array): Uint8Array | null {
    return this.#ended ? null : (this.#server.answerOffline?.(packet) ?? null)
  }

  endSession(session: SessionId): void {
    this.#hear({ kind: 'sessionGone', session })
  }

  stepDown(reason: string): void {
    this.#hear({ kind: 'stepDownRequested', reason })
  }

  pageHidden(hidden: boolean): void {
    this.#hear({ kind: 'visibilityChanged', hidden })
  }

  reconfig(voters: readonly ReplicaId[]): Promise<void> {
    if (this.#ended) return Promise.reject(new KeeperError('Closed', 'this replica has ended'))
    return this.#reconfigs.wait((tag) => this.#hear({ kind: 'reconfigRequested', tag, voters }))
  }

  async inspect(): Promise<ReplicaState> {
    const storage = await this.#options.log.usage().catch(() => ({ entries: 0, bytes: null }))
    return inspectReplica(
      this.#peer,
      this.#server,
      this.#role,
      this.#leader,
      this.#serving,
      this.#outbox,
      this.#marks,
      {
        ...storage,
        state: this.#disk.failed ? 'failed' : 'open',
      },
    )
  }

  /** The core's state, for checkers; never to be changed. */
  get peer(): Readonly<Peer> {
    return this.#peer
  }

  /** Hands over if leading (bounded by the core), then ends. */
  async close(): Promise<void> {
    if (this.#ended) return
    if (this.#leading && this.#outbox.size > 0) {
      const over = new Promise<void>((resolve) => void this.#closing.push(resolve))
      this.stepDown('this replica closes')
      const until = this.#platform.now() + 1200
      const stop = this.#platform.every(TIMES.tick, () => {
        if (!this.#leading || this.#platform.now() > until) for (const resolve of this.#closing.splice(0)) resolve()
      })
      await over
      stop()
    }
    await this.#end(null)
  }

  // ── one turn ──

  #hear(heard: Heard): void {
    if (this.#ended) return
    this.#inbox.push(heard)
    if (this.#scheduled) return
    this.#scheduled = true
    this.#platform.soon(() => this.#turn())
  }

  #tick(): void {
    this.#hear({ kind: 'ticked', now: this.#platform.now() })
  }

  /** A gap in the clock comes first: what gathered while this replica slept must find it deposed. */
  #turn(): void {
    this.#scheduled = false
    if (this.#ended) return
    try {
      const now = this.#platform.now()
      const gap = now - this.#heardAt
      this.#heardAt = now
      if (gap > TIMES.clockGap) this.#step({ kind: 'woke', now, gap })
      const inbox = this.#inbox
      this.#inbox = []
      for (const heard of inbox) this.#on(heard, now)
      const digested = this.#digests.take(this.#leading, now)
      if (digested !== null) this.#step(digested)
      this.#step({ kind: 'turnEnded' })
      this.#connections.flush()
      this.#outbox.flush()
      this.#disk.flush(this.#peer.committed)
      this.#disk.snapshotIfDue(this.#peer, this.#server, this.#options.snapshotEvery ?? 20_000)
      this.#announcer.tell(this.#peer, this.#role, this.#leader, this.#serving, this.#leading && this.#serving)
    } catch (error) {
      // A broken invariant of ours, or of the state machine: crash-stop. The log is what counts.
      void this.#end(
        error instanceof KeeperError ? error : new KeeperError('WorkerFailed', String(error), { cause: error }),
      )
    }
  }

  #on(heard: Heard, now: number): void {
    switch (heard.kind) {
      case 'frame':
        if (this.#connections.has(heard.connection)) {
          this.#serve(this.#server.received(heard.connection, heard.bytes, now, () => this.#platform.entropy(32)))
        }
        return
      case 'connected':
        if (!this.#serving) return this.#connections.close(heard.connection)
        return this.#serve(this.#server.connectionOpened(heard.connection, heard.info))
      case 'disconnected':
        return this.#serve(this.#server.connectionClosed(heard.connection))
      case 'sessionGone':
        return this.#serve(this.#server.endSession(heard.session))
      case 'ticked':
        this.#step(heard)
        if (this.#leading) this.#serve(this.#server.ticked(now, this.#platform.wall()))
        if (now - this.#touchedAt >= TIMES.heartbeat) {
          this.#touchedAt = now
          const sessions = this.#server.touched()
          if (sessions.length > 0) this.#step({ kind: 'touched', sessions })
        }
        return
      default:
        this.#step(heard)
        if (heard.kind === 'received' && heard.message.kind === 'snapshotChunk') {
          const progress = this.#snapshots.read(this.#peer, now)
          if (progress !== null) this.#options.listener.progress?.(progress)
        }
    }
  }

  /** `prepare` is answered at once and in order, so its answer's orders follow those of the fact that caused it. */
  #step(fact: Fact): void {
    const orders = step(this.#peer, fact)
    for (let i = 0; i < orders.length; i++) {
      const order = orders[i] as Order
      if (order.kind !== 'prepare') {
        this.#carryOut(order)
        continue
      }
      const bytes = this.#server.prepare(order.zxid, order.request, this.#heardAt, this.#platform.wall())
      orders.push(...step(this.#peer, { kind: 'prepared', zxid: order.zxid, bytes }))
    }
  }

  #carryOut(order: Exclude<Order, { kind: 'prepare' }>): void {
    switch (order.kind) {
      case 'send':
        return this.#outbox.send(order.link, order.message)
      case 'sendSnapshot':
        return this.#outbox.sendSnapshot(order.link, order.nonce, this.#server.snapshot())
      case 'closeLink':
        return this.#outbox.close(order.link, order.reason)
      case 'write':
        return this.#disk.write(order)
      case 'deliver':
        this.#disk.delivered(order.entries.length)
        return this.#serve(deliverEntries(this.#server, order.entries, (zxid) => this.#digests.applied(zxid)))
      case 'digestAt':
        return this.#digests.ask(order.zxid)
      case 'restore':
        return this.#server.restore(order.zxid, order.chunks)
      case 'role':
        return this.#onRole(order)
      case 'leading':
        this.#leading = true
        this.#server.startLeading(this.#heardAt)
        return
      case 'notLeading':
        this.#leading = false
        this.#server.stopLeading()
        return
      case 'synced':
        return this.#serve(this.#server.synced(order.tag))
      case 'touch':
        return this.#server.touch(order.sessions, this.#heardAt)
      case 'reconfigured':
        return this.#reconfigs.answered(order.tag, order.error)
      case 'mark':
        return this.#count(order.name)
      case 'notice':
      case 'halt':
        this.#options.listener.notice(order.code, order.reason)
        if (order.kind === 'halt')
          void this.#end(new KeeperError(order.code === 'Removed' ? 'Closed' : order.code, order.reason))
        return
    }
  }

  #serve(orders: readonly ServerOrder[]): void {
    for (const order of orders) {
      if (order.kind === 'reply') this.#connections.reply(order.connection, order.frame)
      else if (order.kind === 'closeConnection') this.#connections.close(order.connection)
      else if (order.kind === 'request') this.#step({ kind: 'requested', requests: [order.bytes] })
      else this.#step({ kind: 'syncRequested', tag: order.tag })
    }
  }

  #onRole(order: Extract<Order, { kind: 'role' }>): void {
    this.#role = order.role
    this.#leader = order.leader
    if (order.serving === this.#serving) {
      // A new role straight after the old one: the connections of the old one have ended all the same.
      if (order.serving) this.#serve(this.#server.serving(false))
      if (!order.serving) return
    }
    this.#serving = order.serving
    this.#serve(this.#server.serving(order.serving))
    if (!order.serving) this.#connections.closeAll()
  }

  #count(name: string): void {
    this.#marks.set(name, (this.#marks.get(name) ?? 0) + 1)
  }

  async #end(why: KeeperError | null): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.#role = 'stopped'
    this.#stopTicks?.()
    this.#inbox = []
    for (const resolve of this.#closing.splice(0)) resolve()
    this.#reconfigs.end()
    this.#connections.closeAll()
    this.#outbox.closeAll(why === null ? 'closed' : why.message)
    await this.#options.log.close().catch(() => undefined)
    this.#options.listener.ended(why)
  }
}
