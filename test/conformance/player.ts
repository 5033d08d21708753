import { type ErrorCode, KeeperError } from '../../src/base/errors.ts'
import type { SessionId } from '../../src/base/ids.ts'
import type { FramePipe } from '../../src/client/frame-pipe.ts'
import type { Outcome } from './compare.ts'
import { showAcl, showData, showStat, WORLD_ALL } from './notation.ts'
import { perform } from './operations.ts'
import { PlayedClient } from './played-client.ts'
import type { Json, Scenario, SeenEvent, Step } from './scenario.ts'

/** The server under test, alone and with a clock of its own. */
export interface Host {
  connect(): Promise<FramePipe>
  /** Time passes, milliseconds. */
  advance(ms: number): void | Promise<void>
  expire(session: SessionId): void | Promise<void>
  /** One pass of the container and TTL reaper. */
  reap(): void | Promise<void>
}

/** Plays a scenario against a fresh host. */
export const play = (scenario: Scenario, host: Host): Promise<Outcome> => new Player(scenario, host).play()

class Player {
  readonly #scenario: Scenario
  readonly #host: Host
  readonly #clients = new Map<string, PlayedClient>()
  readonly #owners = new Map<bigint, string>()

  constructor(scenario: Scenario, host: Host) {
    this.#scenario = scenario
    this.#host = host
  }

  async play(): Promise<Outcome> {
    const steps: { result: Json; events: SeenEvent[] }[] = []
    for (const step of this.#scenario.steps) {
      const result = await this.#step(step)
      await this.#settle()
      steps.push({ result, events: this.#takeEvents(step) })
    }
    return { steps, finalTree: await this.#finalTree() }
  }

  async #step(step: Step): Promise<Json> {
    try {
      return { ok: await this.#run(step) }
    } catch (error) {
      if (!(error instanceof KeeperError)) throw error
      const failure = { error: javaName(error.code) }
      return error.results === undefined
        ? failure
        : { ...failure, results: error.results.map((code) => ({ error: code })) }
    }
  }

  async #run(step: Step): Promise<Json> {
    switch (step.op) {
      case 'open':
        await this.#open(step.session as string)
        return {}
      case 'attach':
        await this.#attach(step)
        return {}
      case 'checkContainers':
        await this.#host.reap()
        return {}
      case 'sleep':
        await this.#host.advance(step.ms ?? 0)
        return {}
      case 'close':
        await this.#client(step).client.close()
        return {}
      case 'drop':
        this.#client(step).hold()
        await this.#client(step).suspended()
        return {}
      case 'reconnect':
        this.#client(step).release()
        await this.#client(step).client.connected()
        return {}
      case 'expire':
        await this.#expire(this.#client(step))
        return {}
      default:
        return perform(step, this.#client(step), this.#owners)
    }
  }

  async #open(name: string, session?: { id: SessionId; password: Uint8Array }): Promise<void> {
    const { timeout, chroot } = this.#scenario.sessions[name] as { timeout: number; chroot?: string }
    const played = new PlayedClient(() => this.#host.connect(), {
      timeout,
      ...(chroot === undefined ? {} : { chroot }),
      ...(session === undefined ? {} : { session }),
    })
    this.#clients.set(name, played)
    await played.client.connected()
    if (!this.#owners.has(played.client.sessionId)) this.#owners.set(played.client.sessionId, name)
  }

  async #attach(step: Step): Promise<void> {
    const former = this.#clients.get(step.of as string) as PlayedClient
    const { sessionId: id, sessionPassword } = former.client
    const password = step.badPassword ? sessionPassword.map((byte) => byte ^ 0xff) : sessionPassword
    if (!step.badPassword) former.hold()
    await this.#open(step.session as string, { id, password })
  }

  async #expire(played: PlayedClient): Promise<void> {
    played.hold()
    await played.suspended()
    await this.#host.expire(played.client.sessionId)
    played.release()
    await played.ended()
  }

  /** A read on every connected session: behind its reply, everything that the step caused has been delivered. */
  async #settle(): Promise<void> {
    for (let round = 0; round < 2; round++) {
      const connected = [...this.#clients.values()].filter(({ client }) => client.state === 'connected')
      await Promise.all(connected.map(({ client }) => client.exists('/')))
    }
  }

  #takeEvents(step: Step): SeenEvent[] {
    const ended = step.op === 'close' || step.op === 'expire' || step.op === 'drop'
    const seen: SeenEvent[] = []
    for (const [session, played] of this.#clients) {
      const events = played.events
      played.events = []
      if (ended && session === step.session) continue
      for (const { type, path } of events) seen.push({ session, type, path })
    }
    return seen
  }

  #client(step: Step): PlayedClient {
    return this.#clients.get(step.session as string) as PlayedClient
  }

  async #finalTree(): Promise<Json[]> {
    const { client } = new PlayedClient(() => this.#host.connect(), { timeout: 30_000 })
    await client.addAuth('digest', 'super:secret')
    const nodes: Json[] = []
    const visit = async (path: string): Promise<void> => {
      const [{ data, stat }, { acl }, { children }] = await Promise.all([
        client.getData(path),
        client.getAcl(path),
        client.getChildren(path),
      ])
      const shown = showAcl(acl)
      const node = { path, data: showData(data), stat: showStat(stat, this.#owners) }
      nodes.push(shown.length === 1 && shown[0] === WORLD_ALL ? node : { ...node, acl: shown })
      for (const child of children) await visit(path === '/' ? `/${child}` : `${path}/${child}`)
    }
    await visit('/')
    return nodes
  }
}

/** Where our client says it more exactly than the Java client. */
function javaName(code: ErrorCode): string {
  if (code === 'Closed') return 'SessionExpired'
  return code === 'TooLarge' ? 'ConnectionLoss' : code
}
