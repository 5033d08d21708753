import { KeeperError } from '../../src/base/errors.ts'
import type { ZnodeClient } from '../../src/client/api.ts'
import type { World } from '../../src/recipes/world.ts'

/** One session of a stage, and what may befall it. */
export interface Page extends World {
  /** The next write is applied, and its caller told that nobody knows: what a ZooKeeper client says when the connection breaks before the reply. */
  loseReply(): void
  /** The connection breaks; the client connects again by itself. */
  cut(): void
  /** Its session ends: all that it held is gone. */
  die(): Promise<void>
}

/** Where a contract is tried: sessions with one ensemble, whose tree is empty. */
export interface Stage {
  page(): Promise<Page>
  pass(ms: number): Promise<void>
}

/** Has it settled within so many milliseconds? Both ways count. */
export async function settles(stage: Stage, promise: Promise<unknown>, ms: number): Promise<boolean> {
  const settled = promise.then(
    () => true,
    () => true,
  )
  return await Promise.race([settled, stage.pass(ms).then(() => false)])
}

const WRITES: readonly PropertyKey[] = ['create', 'setData', 'delete', 'multi']

/** The client, with replies that can be lost. */
export function forgetful(client: ZnodeClient): { readonly client: ZnodeClient; loseReply(): void } {
  let lost = 0
  const write =
    (real: (...args: readonly unknown[]) => Promise<unknown>) =>
    async (...args: readonly unknown[]): Promise<unknown> => {
      const result = await real(...args)
      if (lost === 0) return result
      lost--
      throw new KeeperError('ConnectionLoss')
    }
  const get = (target: ZnodeClient, name: PropertyKey): unknown => {
    const found: unknown = Reflect.get(target, name, target)
    if (typeof found !== 'function') return found
    const bound = found.bind(target)
    return WRITES.includes(name) ? write(bound) : bound
  }
  return {
    client: new Proxy(client, { get }),
    loseReply: () => {
      lost++
    },
  }
}
