import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { Op } from '../client/api.ts'
import { dataOrNull } from '../recipes/node-change.ts'
import { childrenOf } from '../recipes/place.ts'
import { hasCode, sessionIsOver, settle, untilAnswered } from '../recipes/retry.ts'
import { chance } from '../recipes/world.ts'
import type { Assign } from './assignment.ts'
import type { DispatcherState } from './dispatcher-state.ts'
import { endedBy } from './ended-by.ts'
import type { LeaseFacts } from './lease-index.ts'
import { failedOp } from './multi-failure.ts'
import type { Ending } from './overdue.ts'
import { readConfig } from './queue-config.ts'
import { firedId, parseLease, type QueuePaths } from './queue-paths.ts'
import { firing, readSchedule } from './schedule.ts'
import { factsOf, type TaskFacts } from './task-facts.ts'
import { isTerminal, readRecord } from './task-record.ts'
import type { TaskWorld } from './task-world.ts'
import * as transitions from './transitions.ts'
import { decodeWorker } from './worker-record.ts'

/** The term is over: `ctl` has another version. Nothing of it can commit any more. */
export class FencedError extends Error {
  override readonly name = 'FencedError'
}

/** Buckets that are read side by side: a takeover must not take a round trip for each. */
const LOAD_AT_ONCE = 64

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
    this.#state.tick(this.now())
    await this.readConfig()
    const mailboxes = await childrenOf(client, this.#queue.mailboxes)
    await Promise.all(mailboxes.map((wid) => this.readMailbox(wid)))
    const workers = await childrenOf(client, this.#queue.workers)
    await Promise.all(workers.map((wid) => this.readWorker(wid)))
    for (const wid of mailboxes) this.#state.mailbox(wid)
    const alive = new Set(workers)
    for (const wid of mailboxes) if (!alive.has(wid)) this.#state.workerGone(wid)
    const schedules = await childrenOf(client, this.#queue.schedules)
    await Promise.all(schedules.map((sid) => this.readSchedule(sid)))
    const buckets = await childrenOf(client, this.#queue.tasks)
    for (let from = 0; from < buckets.length; from += LOAD_AT_ONCE) {
      await Promise.all(buckets.slice(from, from + LOAD_AT_ONCE).map((bucket) => this.#readBucket(bucket)))
    }
  }

  async #readBucket(bucket: string): Promise<void> {
    const ids = await childrenOf(this.#world.client, `${this.#queue.tasks}/${bucket}`)
    await Promise.all(ids.map((id) => this.readTask(id)))
  }

  async readConfig(): Promise<void> {
    this.#state.config(readConfig((await this.#get(this.#queue.root))?.data ?? null))
  }

  async readSchedule(sid: string): Promise<void> {
    const node = await this.#get(this.#queue.schedule(sid))
    const schedule = readSchedule(node?.data ?? null)
    if (node === null || schedule === null) this.#state.scheduleGone(sid)
    else this.#state.schedule(sid, node.stat.version, schedule.next)
  }

  /** Adds what is due: the schedule moves on in the same transaction, so that each time adds one task. */
  async fire(sid: string): Promise<void> {
    const node = await this.#get(this.#queue.schedule(sid))
    const schedule = readSchedule(node?.data ?? null)
    if (node === null || schedule === null) return this.#state.scheduleGone(sid)
    const { slots, next } = firing(schedule, this.now())
    const fresh: number[] = []
    for (const slot of slots) if ((await this.#get(this.#queue.record(firedId(sid, slot)))) === null) fresh.push(slot)
    const ops = transitions.fire(this.#queue, this.#number, sid, node.stat.version, { ...schedule, next }, fresh)
    const verdict = await this.#commit(ops)
    if (verdict.kind === 'unknown') await settle(this.#world.client, this.#queue.root)
    await this.readSchedule(sid)
  }

  async readPoke(): Promise<number> {
    return (await this.#get(this.#queue.poke))?.stat.mzxid ?? 0
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
    this.#txnTime = Math.max(this.#txnTime, node.stat.mtime)
    this.#state.record(factsOf(id, record, node.stat))
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

  async collect(ended: readonly TaskFacts[]): Promise<void> {
    const verdict = await this.#commit(transitions.collect(this.#queue, this.#number, ended))
    if (verdict.kind === 'unknown') await settle(this.#world.client, this.#queue.root)
    if (verdict.kind !== 'done') await Promise.all(ended.map(({ id }) => this.readTask(id)))
    for (const { id, dedup } of ended) if (dedup !== '') await this.#forgetKey(dedup, id)
  }

  /** A deduplication key goes with the latest task that had it. */
  async #forgetKey(key: string, id: string): Promise<void> {
    const path = this.#queue.key(key)
    const node = await this.#get(path)
    if (node === null || node.data === null || fromUtf8(node.data) !== id) return
    if ((await this.#get(this.#queue.record(id))) !== null) return
    const { version } = node.stat
    await this.#commit([transitions.fence(this.#queue, this.#number), { op: 'delete', path, version }])
  }

  /** A task, or an attempt, that ends by the dispatcher's word. */
  async end(ending: Ending): Promise<void> {
    const { id, lease } = ending
    const node = await this.#get(this.#queue.record(id))
    const record = node === null ? null : readRecord(node.data)
    if (node === null || record === null || isTerminal(record)) return this.readTask(id)
    const ended = endedBy(ending, record, chance(this.#world.random))
    const ops = transitions.end(this.#queue, this.#number, id, lease, node.stat.version, ended)
    const verdict = await this.#commit(ops)
    if (verdict.kind === 'unknown') await settle(this.#world.client, this.#queue.root)
    if (lease !== null && (await this.#get(this.#queue.lease(lease.wid, id, lease.attempt))) === null) {
      this.#state.leaseGone(lease)
      if (verdict.kind === 'done') this.#state.workerSilent(lease.wid)
    }
    await this.readTask(id)
    if (verdict.kind !== 'done') this.#state.endAgain(ending)
  }

  /** `upTo`: the zxid that the statistics know of, given to who poked. */
  async publish(upTo: number): Promise<void> {
    const data = utf8(JSON.stringify({ ...this.#state.stats(), upTo }))
    const known = await this.#get(this.#queue.stat)
    if (known?.data != null && fromUtf8(known.data) === fromUtf8(data)) return
    await this.#commit([transitions.fence(this.#queue, this.#number), { op: 'setData', path: this.#queue.stat, data }])
  }
}
