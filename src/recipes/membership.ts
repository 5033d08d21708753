import { KeeperError } from '../base/errors.ts'
import type { SessionId } from '../base/ids.ts'
import type { CallOptions, Data } from '../client/api.ts'
import { checkOptions } from '../client/arguments.ts'
import { checkWait } from './arguments.ts'
import { Doorbell } from './doorbell.ts'
import { dataOrNull } from './node-change.ts'
import { fromNodeName, toNodeName } from './node-name.ts'
import { removeOwn, writeOwn } from './own-node.ts'
import { ensureNode } from './parents.ts'
import { childrenOf } from './place.ts'
import { hasCode, untilAnswered } from './retry.ts'
import { nonce, type World } from './world.ts'

export const GROUPS_ROOT = '/tk/groups'

export interface Member {
  readonly id: string
  readonly data: Uint8Array | null
  readonly session: SessionId
  /** Milliseconds, the leader's clock. */
  readonly since: number
}

/** One's own place in a group. It ends by `leave`, or with the session. */
export interface Membership extends AsyncDisposable {
  readonly id: string
  /** NoNode if somebody removed this member. */
  update(data: Data): Promise<void>
  /** Idempotent. */
  leave(): Promise<void>
}

/** Who is here: one ephemeral node per member. Curator: GroupMember; kazoo: Party. */
export class Group {
  readonly #world: World
  readonly #path: string

  constructor(world: World, name: string, root: string = GROUPS_ROOT) {
    this.#world = world
    this.#path = `${root}/${toNodeName('name', name)}`
  }

  /** Without `id` a random one is drawn. NodeExists: another session is here by that id (perhaps an earlier one of this page, until it expires). */
  async join(data: Data = null, options: { readonly id?: string } = {}): Promise<Membership> {
    const { client, random } = this.#world
    const id = checkOptions(options).id ?? nonce(random)
    const path = `${this.#path}/${toNodeName('id', id)}`
    let mayBeOurs = false
    for (;;) {
      try {
        await client.create(path, data, { mode: 'ephemeral' })
        break
      } catch (error) {
        if (hasCode(error, 'NoNode')) await ensureNode(client, this.#path, 'container')
        else if (hasCode(error, 'ConnectionLoss')) {
          mayBeOurs = true
          await untilAnswered(client, () => client.sync(path))
        } else if (mayBeOurs && hasCode(error, 'NodeExists')) {
          const found = await untilAnswered(client, () => client.exists(path))
          if (found?.ephemeralOwner === client.sessionId) break
          if (found !== null) throw error
        } else throw error
      }
    }
    const leave = (): Promise<void> => removeOwn(client, path)
    return {
      id,
      update: async (next) => {
        if (!(await writeOwn(client, path, next))) throw new KeeperError('NoNode', undefined, { path })
      },
      leave,
      [Symbol.asyncDispose]: leave,
    }
  }

  /** All members as this replica sees them now, sorted by id. */
  async members(options: CallOptions = {}): Promise<readonly Member[]> {
    const { client } = this.#world
    checkWait(options)
    const names = await childrenOf(client, this.#path, options.signal)
    const read = (name: string) => (call: CallOptions) => dataOrNull(client, `${this.#path}/${name}`, call)
    const nodes = await Promise.all(names.map((name) => untilAnswered(client, read(name), options.signal)))
    const members: Member[] = []
    names.forEach((name, i) => {
      const node = nodes[i]
      if (node === null || node === undefined) return
      members.push({
        id: fromNodeName(name),
        data: node.data,
        session: node.stat.ephemeralOwner,
        since: node.stat.ctime,
      })
    })
    return members
  }

  /**
   * The whole set now, and again after every change; changes faster than the reader come as one. Ends by `break`, `signal`,
   * or with the session (throws).
   */
  async *watch(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<readonly Member[], void, undefined> {
    checkWait(options)
    const { client } = this.#world
    const bell = new Doorbell()
    const stop = new AbortController()
    const leave = (): void => stop.abort()
    options.signal?.addEventListener('abort', leave, { signal: stop.signal })
    if (options.signal?.aborted) return
    let end: { readonly error: unknown } | null = null
    stop.signal.addEventListener('abort', () => bell.ring())
    const listen = async (): Promise<void> => {
      try {
        const register = () => client.watch(this.#path, { recursive: true, signal: stop.signal })
        const notices = await untilAnswered(client, register, stop.signal)
        registered()
        for await (const { type } of notices) if (type !== 'lost') bell.ring()
        end ??= { error: new KeeperError('Closed') }
      } catch (error) {
        end = { error }
      }
      bell.ring()
      registered()
    }
    let registered: () => void = () => {}
    const watching = new Promise<void>((resolve) => {
      registered = resolve
    })
    const listening = listen()
    try {
      await watching
      while (!stop.signal.aborted) {
        if (end !== null) throw (end as { readonly error: unknown }).error
        yield await this.members({ signal: stop.signal })
        await bell.wait()
      }
    } catch (error) {
      if (!stop.signal.aborted) throw error
    } finally {
      stop.abort()
      await listening
    }
  }
}
