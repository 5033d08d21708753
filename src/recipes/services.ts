import { KeeperError } from '../base/errors.ts'
import { refuse } from '../client/arguments.ts'
import { checkWait } from './arguments.ts'
import { fromJson, toJson } from './json.ts'
import { Group, type Member } from './membership.ts'
import { toNodeName } from './node-name.ts'
import { keepPresent, type Presence } from './presence.ts'
import { chance, nonce, type World } from './world.ts'

export const SERVICES_ROOT = '/tk/services'

/** Somebody who offers a service. `payload` is the offerer's own, any JSON. */
export interface ServiceInstance {
  readonly id: string
  readonly payload: unknown
  /** Milliseconds, the leader's clock. */
  readonly since: number
}

/** How a provider chooses: one after the other, by chance, or one and the same until it goes. */
export type Strategy = 'roundRobin' | 'random' | 'sticky'

const STRATEGIES: readonly string[] = ['roundRobin', 'random', 'sticky'] satisfies Strategy[]

export interface ProviderOptions {
  /** Default `roundRobin`. */
  readonly strategy?: Strategy
  /** After so many `failed` calls within `downFor` an instance is passed over for that long, unless all are down. Default 2. */
  readonly failures?: number
  /** Milliseconds; default 30 000. */
  readonly downFor?: number
  readonly signal?: AbortSignal
}

/** Checked. */
type Choice = Required<Omit<ProviderOptions, 'signal'>> & { readonly signal: AbortSignal | undefined }

/** Who offers what, by name. Curator: ServiceDiscovery. */
export class Services {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  /** Offers it until closed or until the session ends. An instance of the same id that another session offers is waited for, not deleted. */
  async offer(
    service: string,
    payload: unknown,
    options: { readonly id?: string; readonly signal?: AbortSignal } = {},
  ): Promise<Presence> {
    const id = checkWait(options).id ?? nonce(this.#world.random)
    const path = `${SERVICES_ROOT}/${toNodeName('service', service)}/${toNodeName('id', id)}`
    return keepPresent(this.#world, path, toJson('payload', payload), options)
  }

  /** As this replica sees them now, sorted by id. */
  async instances(service: string): Promise<readonly ServiceInstance[]> {
    return (await this.#group(service).members()).map(instance)
  }

  /** All of them now, and again after every change. Ends by `break`, `signal`, or with the session (throws). */
  async *watch(
    service: string,
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<readonly ServiceInstance[], void, undefined> {
    for await (const members of this.#group(service).watch(options)) yield members.map(instance)
  }

  /** Chooses among the instances, of which it keeps a copy. Resolves when that is there. */
  async provider(service: string, options: ProviderOptions = {}): Promise<ServiceProvider> {
    const { strategy = 'roundRobin', failures = 2, downFor = 30_000, signal } = checkWait(options)
    if (!STRATEGIES.includes(strategy)) {
      throw new KeeperError('BadArguments', `strategy must be one of ${STRATEGIES.join(', ')}`, { path: 'strategy' })
    }
    if (!Number.isSafeInteger(failures) || failures < 1) throw refuse('failures', 'must be a whole number, 1 or more')
    if (typeof downFor !== 'number' || !(downFor >= 0)) throw refuse('downFor', 'must be milliseconds, 0 or more')
    const provider = new ServiceProvider(this.#world, { strategy, failures, downFor, signal })
    await provider.follow((signal) => this.watch(service, { signal }))
    return provider
  }

  #group(service: string): Group {
    return new Group(this.#world, service, SERVICES_ROOT)
  }
}

const instance = ({ id, data, since }: Member): ServiceInstance => ({ id, payload: fromJson(data), since })

/** See Services.provider. */
export class ServiceProvider implements AsyncDisposable {
  readonly #world: World
  readonly #strategy: Strategy
  readonly #failuresMax: number
  readonly #downFor: number
  readonly #stop = new AbortController()
  readonly #failures = new Map<string, number[]>()
  #instances: readonly ServiceInstance[] = []
  #at = -1
  #stuck: string | null = null
  #following: Promise<void> = Promise.resolve()
  #failure: unknown = null

  constructor(world: World, { strategy, failures, downFor, signal }: Choice) {
    this.#world = world
    this.#strategy = strategy
    this.#failuresMax = failures
    this.#downFor = downFor
    signal?.addEventListener('abort', () => this.#stop.abort(), { signal: this.#stop.signal })
    if (signal?.aborted) this.#stop.abort()
  }

  /** Resolves with the first set. */
  follow(watch: (signal: AbortSignal) => AsyncIterable<readonly ServiceInstance[]>): Promise<void> {
    return new Promise((resolve, reject) => {
      const read = async (): Promise<void> => {
        for await (const all of watch(this.#stop.signal)) {
          this.#instances = all
          for (const id of this.#failures.keys()) if (!all.some((one) => one.id === id)) this.#failures.delete(id)
          resolve()
        }
      }
      this.#following = read().then(resolve, (error: unknown) => {
        this.#failure = error
        reject(error)
      })
    })
  }

  /** The one to ask now; null: nobody offers it. Throws what ended the session. */
  pick(): ServiceInstance | null {
    if (this.#failure !== null) throw this.#failure
    const up = this.#instances.filter(({ id }) => !this.#isDown(id))
    const from = up.length > 0 ? up : this.#instances
    if (from.length === 0) return null
    switch (this.#strategy) {
      case 'random':
        return from[Math.floor(chance(this.#world.random) * from.length)] ?? null
      case 'sticky': {
        const same = from.find(({ id }) => id === this.#stuck)
        const chosen = same ?? from[Math.floor(chance(this.#world.random) * from.length)] ?? null
        this.#stuck = chosen?.id ?? null
        return chosen
      }
      case 'roundRobin':
        this.#at = (this.#at + 1) % from.length
        return from[this.#at] ?? null
    }
  }

  /** It did not answer, or answered with an error: see `failures`. */
  failed(chosen: ServiceInstance): void {
    const now = this.#world.clock.now()
    const recent = (this.#failures.get(chosen.id) ?? []).filter((at) => now - at < this.#downFor)
    this.#failures.set(chosen.id, [...recent, now].slice(-this.#failuresMax))
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#following
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #isDown(id: string): boolean {
    const failures = this.#failures.get(id)
    if (failures === undefined) return false
    const now = this.#world.clock.now()
    const recent = failures.filter((at) => now - at < this.#downFor)
    if (recent.length === 0) this.#failures.delete(id)
    return recent.length >= this.#failuresMax
  }
}
