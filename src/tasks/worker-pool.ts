import { KeeperError } from '../base/errors.ts'
import type { Op } from '../client/api.ts'
import type { Clock } from '../client/clock.ts'
import { errorOf, type FromPool, type ToPool } from './pool-message.ts'
import { failureOf, RunEndedError } from './task-error.ts'
import type { Handler, TaskContext } from './task-types.ts'

/** A module that calls `serveTasks`, or what starts a Worker of it (so that a bundler sees the URL). */
export type HandlerModule = URL | (() => Worker)

/** Milliseconds that a handler whose signal aborted may take to end before its Worker is terminated. */
const ABORT_GRACE = 250
/** Milliseconds for a Worker to load its module. */
const START_MAX = 30_000

interface Outcome {
  readonly output: unknown
  readonly also: readonly Op[]
}

/** One Worker with at most one run. */
class Hand {
  readonly #worker: Worker
  readonly names: Promise<readonly string[]>
  #say: (message: FromPool) => void = () => {}
  #fail: (error: Error) => void = () => {}
  isDead = false

  constructor(module: HandlerModule, clock: Clock) {
    this.#worker = module instanceof URL ? new Worker(module, { type: 'module' }) : module()
    this.names = new Promise((resolve, reject) => {
      const late = clock.after(START_MAX, () => this.end(`did not call serveTasks within ${START_MAX / 1000} s`))
      this.#fail = reject
      this.#say = (message) => {
        late()
        if (message.kind === 'ready') resolve(message.names)
      }
    })
    this.names.catch(() => {})
    this.#worker.addEventListener('message', ({ data }) => this.#say(data as FromPool))
    this.#worker.addEventListener('error', (event) => {
      event.preventDefault()
      this.end(`failed: ${event.message ?? 'its module could not be loaded'}`)
    })
  }

  end(why: string): void {
    if (this.isDead) return
    this.isDead = true
    this.#worker.terminate()
    this.#fail(new KeeperError('WorkerFailed', `a Worker with task handlers ${why}`))
  }

  run(name: string, input: unknown, context: TaskContext, clock: Clock): Promise<Outcome> {
    const { id, attempt, token, checkpoint, signal } = context
    const tell = (message: ToPool): void => this.#worker.postMessage(message)
    return new Promise<Outcome>((resolve, reject) => {
      let grace = (): void => {}
      const abort = (): void => {
        const reason: unknown = signal.reason
        const code = reason instanceof RunEndedError ? reason.code : 'LeaseLost'
        tell({ kind: 'abort', code, message: String((reason as Error).message) })
        grace = clock.after(ABORT_GRACE, () => this.end('was terminated: its run did not end when it was told to'))
      }
      const over = (): void => {
        grace()
        signal.removeEventListener('abort', abort)
      }
      this.#fail = (error) => {
        over()
        reject(error)
      }
      this.#say = (message) => {
        if (message.kind === 'done' || message.kind === 'failed') over()
        if (message.kind === 'done') resolve(message)
        else if (message.kind === 'failed') reject(errorOf(message.failure))
        else if (message.kind === 'save') this.#save(message.call, message.state, context, tell)
        else this.#note(message, context)
      }
      tell({ kind: 'run', name, input, id, attempt, token, checkpoint })
      if (signal.aborted) abort()
      else signal.addEventListener('abort', abort)
    })
  }

  /** What is too large or no JSON ends the run, as it would in the page. */
  #note(message: FromPool, context: TaskContext): void {
    try {
      if (message.kind === 'progress') context.progress(message.value)
      else if (message.kind === 'log') context.log(message.line)
    } catch (error) {
      this.end(`said what cannot be kept: ${failureOf(error).message}`)
    }
  }

  #save(call: number, state: unknown, context: TaskContext, tell: (message: ToPool) => void): void {
    const save = async (): Promise<void> => context.saveCheckpoint(state)
    save().then(
      () => tell({ kind: 'saved', call, failure: null }),
      (error: unknown) => tell({ kind: 'saved', call, failure: failureOf(error) }),
    )
  }
}

/** Workers that run the handlers of one module, as many as there are runs. A run that does not stop is stopped with its Worker. */
export class WorkerPool {
  readonly names: readonly string[]
  readonly #module: HandlerModule
  readonly #clock: Clock
  readonly #idle: Hand[]
  readonly #hands: Set<Hand>

  private constructor(module: HandlerModule, clock: Clock, first: Hand, names: readonly string[]) {
    this.#module = module
    this.#clock = clock
    this.names = names
    this.#idle = [first]
    this.#hands = new Set([first])
  }

  /** Starts one Worker, to learn what it can do. WorkerFailed. */
  static async open(module: HandlerModule, clock: Clock): Promise<WorkerPool> {
    const first = new Hand(module, clock)
    return new WorkerPool(module, clock, first, await first.names)
  }

  handler(name: string): Handler<unknown, unknown> {
    return async (input, context) => {
      const hand = this.#idle.pop() ?? new Hand(this.#module, this.#clock)
      this.#hands.add(hand)
      try {
        await hand.names
        const { output, also } = await hand.run(name, input, context, this.#clock)
        context.alsoCommit(also)
        return output
      } finally {
        if (hand.isDead) this.#hands.delete(hand)
        else this.#idle.push(hand)
      }
    }
  }

  close(): void {
    for (const hand of this.#hands) hand.end('was terminated: its queue worker has closed')
    this.#hands.clear()
    this.#idle.length = 0
  }
}
