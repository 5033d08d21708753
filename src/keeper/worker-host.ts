import * as Comlink from 'comlink'
import { BUILD } from '../base/build.ts'
import { KeeperError } from '../base/errors.ts'
import type { ReplicaService, Reply, Started, StartOptions, WorkerEvent } from '../replica/service-api.ts'

/** A worker that has not answered its first call by then will not. */
const START_MS = 15_000

const UNREACHABLE =
  'Check that its script is served (the address of the `replica` worker chunk, with a JavaScript content type), that the ' +
  'Content-Security-Policy allows `worker-src`, and that the bundler follows `new Worker(new URL(…))`; else pass `worker`.'

type Calls = Omit<ReplicaService, 'hello' | 'start'>
type Value<K extends keyof Calls> = Awaited<ReturnType<Calls[K]>> extends Reply<infer T> ? T : never

/**
 * The page's hold on its worker. Every call races the worker's death, which Comlink does not notice by itself; what went wrong
 * over there arrives here as a KeeperError again.
 */
export class WorkerHost {
  readonly #worker: Worker
  readonly #service: Comlink.Remote<ReplicaService>
  readonly #events = new MessageChannel()
  readonly #died: Promise<never>
  #reject: (error: KeeperError) => void = () => {}
  #dead = false
  /** Of what, if it was not ended by us. */
  #cause: KeeperError | null = null
  #ondeath: ((error: KeeperError) => void) | null = null

  private constructor(worker: Worker) {
    this.#worker = worker
    this.#service = Comlink.wrap<ReplicaService>(worker)
    this.#died = new Promise<never>((_, reject) => {
      this.#reject = reject
    })
    // It may die while nobody waits.
    this.#died.catch(() => undefined)
    worker.addEventListener('error', (event) => {
      // The event of a script that cannot be loaded has no message.
      const why = event.message
        ? `It stopped with an uncaught error: ${event.message}`
        : `It could not be loaded. ${UNREACHABLE}`
      this.died(workerFailed(why))
    })
    worker.addEventListener('messageerror', () => this.died(workerFailed('Its answer could not be read.')))
  }

  /**
   * Rejects with `WorkerFailed`, `UpdateNeeded`, or why the replica could not start; the worker is terminated then. Events
   * come once `onevent` is set.
   */
  static async start(
    make: () => Worker,
    options: StartOptions,
    signal: AbortSignal | undefined,
  ): Promise<[WorkerHost, Started]> {
    let worker: Worker
    try {
      worker = make()
    } catch (error) {
      throw workerFailed(`The browser refused to make it: ${String(error)}`, error)
    }
    const host = new WorkerHost(worker)
    const late = () => host.died(workerFailed(`No answer within ${START_MS / 1000} s. ${UNREACHABLE}`))
    const timer = setTimeout(late, START_MS)
    const abort = () => host.died(new KeeperError('Aborted', 'Aborted: by its signal', { cause: signal?.reason }))
    signal?.addEventListener('abort', abort)
    try {
      await host.#settle(host.#service.hello(BUILD))
      clearTimeout(timer)
      const { port2 } = host.#events
      // However long it takes: to wait for another page's claim is no fault, and storage has deadlines of its own.
      const started = await host.#settle(host.#service.start(options, Comlink.transfer(port2, [port2])))
      return [host, started]
    } catch (error) {
      host.terminate()
      throw error
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
  }

  /** `ports`, which are arguments or stand in one, are moved to the worker in this very task. */
  async call<K extends keyof Calls>(
    name: K,
    args: Parameters<Calls[K]>,
    ports: readonly Transferable[] = [],
  ): Promise<Value<K>> {
    const method = this.#service[name] as unknown as (...args: readonly unknown[]) => Promise<Reply<Value<K>>>
    const moved = args.map((arg) => {
      const within = ports.filter((port) => port === arg || Object.values(arg ?? {}).includes(port))
      return within.length > 0 ? Comlink.transfer(arg as object, within) : arg
    })
    return this.#settle(method(...moved))
  }

  /** It is of no use any more: pending and later calls reject with `error`. */
  died(error: KeeperError): void {
    if (this.#dead) return
    this.#cause = error
    this.#end(error)
    this.#ondeath?.(error)
  }

  /** Called once, with the reason; not after `terminate`. At once, if it has died already. */
  set ondeath(listener: (error: KeeperError) => void) {
    this.#ondeath = listener
    if (this.#cause !== null) listener(this.#cause)
  }

  /** What happened before it is set waits for it: a page may have to ask others, before it goes on. */
  set onevent(listener: (event: WorkerEvent) => void) {
    this.#events.port1.onmessage = ({ data }: MessageEvent<WorkerEvent>) => {
      if (!this.#dead) listener(data)
    }
  }

  /** Ends the worker at once; pending and later calls reject with `Closed`. */
  terminate(): void {
    if (!this.#dead) this.#end(new KeeperError('Closed', 'The replica of this page has ended.'))
  }

  #end(error: KeeperError): void {
    this.#dead = true
    this.#worker.terminate()
    this.#events.port1.close()
    this.#reject(error)
  }

  async #settle<T>(call: Promise<Reply<T>>): Promise<T> {
    const reply = await Promise.race([call, this.#died])
    if (reply.ok) return reply.value
    const { code, message, path } = reply.error
    throw new KeeperError(code, message, { path })
  }
}

const workerFailed = (why: string, cause?: unknown): KeeperError =>
  new KeeperError('WorkerFailed', `The replica's worker failed. ${why}`, { cause })
