import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { Op } from '../client/api.ts'
import { dataOrNull } from '../recipes/node-change.ts'
import { childrenOf } from '../recipes/place.ts'
import { hasCode, sessionIsOver, settle, untilAnswered } from '../recipes/retry.ts'
import type { Assign } from './assignment.ts'
import type { DispatcherState } from './dispatcher-state.ts'
import type { LeaseFacts } from './lease-index.ts'
import { failedOp } from './multi-failure.ts'
import { parseLease, type QueuePaths } from './queue-paths.ts'
import { isTerminal, readRecord } from './task-record.ts'
import type { TaskWorld } from './task-world.ts'
import * as transitions from './transitions.ts'
import { decodeWorker } from './worker-record.ts'

/** The term is over: `ctl` has another version. Nothing of it can commit any more. */
export class FencedError extends Error {
  override readonly name = 'FencedError'
}

type Verdict =
  | { readonly kind: 'done' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'refused'; readonly index: number }

/** One dispatcher's term: reads facts into the state and commits its orders. Every commit carries the fence. */
export class Term {
  readonly #world: TaskWorld
  readonly #queue: QueuePaths
  readonly #number: number
  readonly #state: DispatcherState
  /** The latest transaction time seen: the clock never falls behind it (R9). */
  #txnTime = 0

  constructor(world: TaskWorld, queue: QueuePaths, number: number, state: DispatcherState) {
    this.#world = world
    this.#queue = queue
    this.#number = number
    this.#state = state
  }

  now(): number {
    return Math.max(this.#world.wallTime(), this.#txnTime)
  }

  /** Leases first, then workers, then records: with the fence taken no older assignment can still appear (R3). */
  async load(): Promise<void> {
    const { client } = this.#world
    const mailboxes = await childrenOf(client, this.#queue.mailboxes)
    await Promise.all(mailboxes.map((wid) => this.readMailbox(wid)))
    const workers = await childrenOf(client, this.#queue.workers)
    await Promise.all(workers.map((wid) => this.readWorker(wid)))
    for (const wid of mailboxes) this.#state.mailbox(wid)
    const alive = new Set(workers)
    for (const wid of mailboxes) if (!alive.has(wid)) this.#state.workerGone(wid)
    for (const bucket of await childrenOf(client, this.#queue.tasks)) {
      const ids = await childrenOf(client, `${this.#queue.tasks}/${bucket}`)
      await Promise.all(ids.map((id) => this.readTask(id)))
    }
  }

  async readMailbox(wid: string): Promise<void> {
    for (const name of await childrenOf(this.#world.client, this.#queue.mailbox(wid))) {
      const lease = parseLease(name)
      if (lease !== null) this.#state.lease({ wid, ...lease })
    }
  }

  async readWorker(wid: string): Promise<void> {
    const node = await this.#get(this.#queue.worker(wid))
    if (node === null) return this.#state.workerGone(wid)
    try {
      this.#state.worker(wid, decodeWorker(node.data), node.stat.version)
    } catch {
      // Another page's nonsense: that worker gets nothing.
      this.#state.worker(wid, { slots: 0, labels: {}, names: [] }, node.stat.version)
    }
  }

  async readTask(id: string): Promise<void> {
    const node = await this.#get(this.#queue.record(id))
    if (node === null) return this.#state.noRecord(id)
    const record = readRecord(node.data)
    if (record === null) return this.#state.noRecord(id)
    const { stat } = node
    const { name, requires, priority, attempt, state } = record
    const due = (attempt === 0 ? stat.ctime : stat.mtime) + record.delay
    const { version, czxid, mzxid, mtime } = stat
    this.#txnTime = Math.max(this.#txnTime, stat.mtime)
    this.#state.record({ id, state, name, requires, priority, attempt, due, version, czxid, mzxid, mtime })
  }

  #get(path: string) {
    return untilAnswered(this.#world.client, () => dataOrNull(this.#world.client, path))
  }

  async #commit(ops: readonly Op[]): Promise<Verdict> {
    try {
      await this.#world.client.multi(ops)
      return { kind: 'done' }
    } catch (error) {
      if (sessionIsOver(error)) throw error
      if (hasCode(error, 'ConnectionLoss')) return { kind: 'unknown' }
      const failed = failedOp(error)
      if (failed === null) throw error
      if (failed.index === 0) throw new FencedError()
      return { kind: 'refused', index: failed.index }
    }
  }

  async assign(assigns: readonly Assign[]): Promise<void> {
    const verdict = await this.#commit(transitions.assign(this.#queue, this.#number, assigns))
    if (verdict.kind === 'done') return
    if (verdict.kind === 'unknown') {
      // Until it is known whether the leases are there, they count as there (R4).
      await settle(this.#world.client, this.#queue.root)
      await Promise.all(assigns.map((assign) => this.#readAssigned(assign)))
      return
    }
    for (const assign of assigns) this.#state.notAssigned(assign)
    const at = assigns[Math.floor((verdict.index - 1) / transitions.ASSIGN_OPS)]
    if (at === undefined) return
    // One of three things is not as believed; whichever it is, all are read, so that the next choice is another (R5).
    await Promise.all([this.readWorker(at.wid), this.readTask(at.id), this.#readAssigned(at)])
    if ((verdict.index - 1) % transitions.ASSIGN_OPS === 2) await this.#checkMailbox(at.wid)
  }

  async #readAssigned(assign: Assign): Promise<void> {
    const lease = await this.#get(this.#queue.lease(assign.wid, assign.id, assign.attempt))
    if (lease !== null) return this.#state.lease(assign)
    this.#state.notAssigned(assign)
    await this.readTask(assign.id)
  }

  /** A worker without a mailbox can get nothing. */
  async #checkMailbox(wid: string): Promise<void> {
    if ((await this.#get(this.#queue.mailbox(wid))) === null) this.#state.workerGone(wid)
  }

  /** Takes a dead worker's lease away; its task waits again, or fails when it has crashed too often. */
  async revoke(lease: LeaseFacts): Promise<void> {
    const node = await this.#get(this.#queue.record(lease.id))
    const record = node === null ? null : readRecord(node.data)
    const crashed = record === null || isTerminal(record) ? null : transitions.crashedRecord(record)
    const ops =
      node === null || crashed === null
        ? transitions.revokeEnded(this.#queue, this.#number, lease)
        : transitions.revoke(this.#queue, this.#number, lease, node.stat.version, crashed)
    await this.#settleLease(lease, await this.#commit(ops))
  }

  async stop(lease: LeaseFacts): Promise<void> {
    const verdict = await this.#commit(transitions.stop(this.#queue, this.#number, lease))
    if (verdict.kind !== 'done') await this.#settleLease(lease, verdict)
  }

  async #settleLease(lease: LeaseFacts, verdict: Verdict): Promise<void> {
    if (verdict.kind === 'unknown') await settle(this.#world.client, this.#queue.root)
    const { wid, id, attempt } = lease
    await this.readWorker(wid)
    if ((await this.#get(this.#queue.lease(wid, id, attempt))) === null) this.#state.leaseGone(lease)
    else this.#state.again(lease)
    await this.readTask(id)
  }

  async bury(wid: string): Promise<void> {
    const verdict = await this.#commit(transitions.bury(this.#queue, this.#number, wid))
    if (verdict.kind === 'done') return
    if (verdict.kind === 'unknown') await settle(this.#world.client, this.#queue.root)
    if ((await this.#get(this.#queue.mailbox(wid))) === null) return
    await this.readMailbox(wid)
    await this.readWorker(wid)
  }

  async collect(ids: readonly string[]): Promise<void> {
    const verdict = await this.#commit(transitions.collect(this.#queue, this.#number, ids))
    if (verdict.kind === 'done') return
    if (verdict.kind === 'unknown') await settle(this.#world.client, this.#queue.root)
    await Promise.all(ids.map((id) => this.readTask(id)))
  }

  async publish(): Promise<void> {
    const data = utf8(JSON.stringify(this.#state.stats()))
    const known = await this.#get(this.#queue.stat)
    if (known?.data != null && fromUtf8(known.data) === fromUtf8(data)) return
    await this.#commit([transitions.fence(this.#queue, this.#number), { op: 'setData', path: this.#queue.stat, data }])
  }
}
