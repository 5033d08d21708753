import { KeeperError } from '../base/errors.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Data, ZnodeClient } from '../client/api.ts'
import { untilGone } from './node-change.ts'
import { ensureNode } from './parents.ts'
import { aborted, hasCode, settle, untilAnswered } from './retry.ts'
import { nonce, type Random } from './world.ts'

export type LockMode = 'exclusive' | 'shared'

/** One waiting or holding node in a line: `<mode>-<nonce>-<sequence>`. */
export interface Place {
  readonly name: string
  readonly mode: LockMode
  readonly sequence: number
}

/**
 * Ours; and those of others who stand in the same line: kazoo's Lock and ReadLock (`__lock__`, `__rlock__`), Curator's mutex and read-write lock
 * (`lock-`, `__WRIT__`, `__READ__`). They must be told to look for ours: kazoo's `extra_lock_patterns`.
 */
const PLACE =
  /(?:^(exclusive|shared)-[0-9a-f]+-|(__lock__|__WRIT__|(?:^|-)lock-)|(?:__rlock__|__READ__))(-?[0-9]{10,11})$/

/** The line in its order; names that are no places are left out. */
export function sortPlaces(children: readonly string[]): readonly Place[] {
  const places: Place[] = []
  for (const name of children) {
    const found = PLACE.exec(name)
    if (found === null) continue
    const [, own, exclusive, sequence] = found
    const mode = (own as LockMode | undefined) ?? (exclusive === undefined ? 'shared' : 'exclusive')
    places.push({ name, mode, sequence: Number(sequence) })
  }
  return places.sort((a, b) => a.sequence - b.sequence)
}

/**
 * The one place that must go before this one is served, or null. A shared one waits for the nearest exclusive one before
 * it, an exclusive one for its predecessor: nobody else is woken (no herd), and writers do not starve.
 */
export function waitsFor(places: readonly Place[], own: number): Place | null {
  const mode = places[own]?.mode
  for (let i = own - 1; i >= 0; i--) {
    const place = places[i]
    if (place !== undefined && (mode === 'exclusive' || place.mode === 'exclusive')) return place
  }
  return null
}

/** How many places stand for holders: the first, and where it is shared the shared ones behind it. */
export function holders(places: readonly Place[]): number {
  const first = places[0]
  if (first === undefined) return 0
  if (first.mode === 'exclusive') return 1
  const next = places.findIndex((place) => place.mode === 'exclusive')
  return next < 0 ? places.length : next
}

/**
 * Stands in line: an ephemeral sequential node whose name has a nonce of ours, so that after a lost reply the node is
 * found instead of a second one made (Curator's protection mode, without its false find in another session: the client
 * is one session). Returns its path.
 */
export async function takePlace(
  client: ZnodeClient,
  random: Random,
  line: string,
  mode: LockMode,
  data: Data,
  signal?: AbortSignal,
): Promise<string> {
  const prefix = `${mode}-${nonce(random)}-`
  try {
    for (;;) {
      try {
        const options = { mode: 'ephemeralSequential', ...(signal && { signal }) } as const
        return (await client.create(`${line}/${prefix}`, data, options)).path
      } catch (error) {
        if (hasCode(error, 'NoNode')) {
          await ensureNode(client, line, 'container', signal)
          continue
        }
        if (!hasCode(error, 'ConnectionLoss')) throw error
      }
      const own = await findPlace(client, line, prefix, signal)
      if (own !== null) return own
    }
  } catch (error) {
    if (!signal?.aborted) throw error
    forgetPlace(client, line, prefix)
    throw aborted(signal)
  }
}

/** After a lost reply: the place whose name begins so, or null if it was not made and will not be. */
export async function findPlace(
  client: ZnodeClient,
  line: string,
  prefix: string,
  signal?: AbortSignal,
): Promise<string | null> {
  await settle(client, line, signal)
  const own = (await childrenOf(client, line, signal)).find((name) => name.startsWith(prefix))
  return own === undefined ? null : `${line}/${own}`
}

/** Who waited has gone, and perhaps the place was made: it leaves behind their back, once there is a connection, or goes with its session. */
export function forgetPlace(client: ZnodeClient, line: string, prefix: string): void {
  findPlace(client, line, prefix)
    .then((path) => (path === null ? undefined : leavePlace(client, path)))
    .catch(() => {})
}

/** Waits until the place at `path` is served; see `Standing.zxid` for what it gives. Rejects with NoNode if somebody removed it. */
export async function untilServed(client: ZnodeClient, path: string, signal: AbortSignal): Promise<Zxid> {
  for (;;) {
    const { before, zxid } = await standing(client, path, signal)
    if (before === null) return zxid
    await untilGone(client, before, signal)
  }
}

/** Where a place stands in its line. */
export interface Standing {
  /** The path that it waits for, or null if it is served. */
  readonly before: string | null
  /**
   * When the line last changed. Of a place that is served it is a fence: whoever held before had to go first, and saw a lower one while they were there.
   * (When a place was made is none: one that is stolen is made later than those who wait behind it.)
   */
  readonly zxid: Zxid
}

/** Rejects with NoNode if somebody removed it. */
export async function standing(client: ZnodeClient, path: string, signal?: AbortSignal): Promise<Standing> {
  const cut = path.lastIndexOf('/')
  const line = path.slice(0, cut)
  const { children, stat } = await untilAnswered(client, (options) => client.getChildren(line, options), signal)
  const places = sortPlaces(children)
  const own = places.findIndex((place) => place.name === path.slice(cut + 1))
  if (own < 0) throw new KeeperError('NoNode', `the place in line is gone: ${path}`, { path })
  const before = waitsFor(places, own)
  return { before: before === null ? null : `${line}/${before.name}`, zxid: stat.pzxid }
}

/** Leaves the line. Idempotent: a place that is gone, or goes with its session, has left. */
export async function leavePlace(client: ZnodeClient, path: string, signal?: AbortSignal): Promise<void> {
  try {
    await untilAnswered(client, (options) => client.delete(path, options), signal)
  } catch (error) {
    if (!hasCode(error, 'NoNode', 'SessionExpired', 'Closed')) throw error
  }
}

/** No children where the node does not exist. */
export async function childrenOf(client: ZnodeClient, path: string, signal?: AbortSignal): Promise<readonly string[]> {
  try {
    return (await untilAnswered(client, (options) => client.getChildren(path, options), signal)).children
  } catch (error) {
    if (hasCode(error, 'NoNode')) return []
    throw error
  }
}
