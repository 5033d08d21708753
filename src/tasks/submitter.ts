import { KeeperError } from '../base/errors.ts'
import type { ZnodeClient } from '../client/api.ts'
import { dataOrNull } from '../recipes/node-change.ts'
import { hasCode, untilAnswered, untilConnected } from '../recipes/retry.ts'
import { failedOp } from './multi-failure.ts'
import { ensureQueue } from './queue-nodes.ts'
import type { QueuePaths } from './queue-paths.ts'
import { encodeRecord, readRecord, type TaskRecord } from './task-record.ts'
import * as transitions from './transitions.ts'

interface Submission {
  readonly id: string
  readonly record: TaskRecord
  readonly bytes: Uint8Array
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

const BATCH_TASKS = 64
/** The queue is made when it is missing, but not for ever against somebody who deletes parts of it. */
const REPAIRS_MAX = 3
const BATCH_BYTES: number = 512 * 1024

/** Puts tasks into the queue: those of one turn share transactions. Ids and nonces are known before, so every retry is safe. */
export class Submitter {
  readonly #client: ZnodeClient
  readonly #queue: QueuePaths
  #pending: Submission[] = []

  constructor(client: ZnodeClient, queue: QueuePaths) {
    this.#client = client
    this.#queue = queue
  }

  /** Resolves when a quorum has it, or has one of this id and name already. NodeExists: of another name. */
  submit(id: string, record: TaskRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#pending.length === 0) queueMicrotask(() => this.#flush())
      this.#pending.push({ id, record, bytes: encodeRecord(record), resolve, reject })
    })
  }

  #flush(): void {
    const pending = this.#pending
    this.#pending = []
    let batch: Submission[] = []
    let bytes = 0
    const cut = (): void => {
      if (batch.length > 0) void this.#send(batch)
      batch = []
      bytes = 0
    }
    for (const submission of pending) {
      if (batch.length === BATCH_TASKS || bytes + submission.bytes.length > BATCH_BYTES) cut()
      batch.push(submission)
      bytes += submission.bytes.length
    }
    cut()
  }

  async #send(batch: Submission[]): Promise<void> {
    const left = [...batch]
    let repairs = 0
    try {
      while (left.length > 0) {
        try {
          if (await this.#try(left)) left.length = 0
        } catch (error) {
          if (failedOp(error)?.code !== 'NoNode' || ++repairs > REPAIRS_MAX) throw error
          await ensureQueue(this.#client, this.#queue)
        }
      }
      for (const submission of batch) submission.resolve()
    } catch (error) {
      // Resolving or rejecting one that was answered before has no effect.
      for (const submission of batch) submission.reject(error)
    }
  }

  /** True when all that is left is in; else `left` has fewer, or the same call is worth repeating. */
  async #try(left: Submission[]): Promise<boolean> {
    try {
      await this.#client.multi(left.map(({ id, bytes }) => transitions.submit(this.#queue, id, bytes)))
      return true
    } catch (error) {
      if (hasCode(error, 'ConnectionLoss')) {
        await untilConnected(this.#client)
        return false
      }
      const failed = failedOp(error)
      const submission = left[failed?.index ?? -1]
      if (failed?.code !== 'NodeExists' || submission === undefined) throw error
      return this.#meet(left, failed.index, submission)
    }
  }

  /** One of that id is there: ours after a lost reply (then all of the transaction is), or one that was added before. */
  async #meet(left: Submission[], index: number, submission: Submission): Promise<boolean> {
    const path = this.#queue.record(submission.id)
    const node = await untilAnswered(this.#client, () => dataOrNull(this.#client, path))
    if (node === null) return false
    const found = readRecord(node.data)
    if (found?.nonce === submission.record.nonce) return true
    left.splice(index, 1)
    if (found?.name === submission.record.name) submission.resolve()
    else submission.reject(new KeeperError('NodeExists', `another task has the id ${submission.id}`, { path: 'id' }))
    return false
  }
}
