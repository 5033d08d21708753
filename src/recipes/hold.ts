import { KeeperError } from '../base/errors.ts'
import type { Zxid } from '../base/zxid.ts'
import type { CallOptions, Op, Stat, WatchEvent, ZnodeClient } from '../client/api.ts'
import { textOf } from './json.ts'
import { type LockMode, leavePlace } from './place.ts'
import { hasCode, untilAnswered } from './retry.ts'

/** Why what was held is held no more. */
export type LossCause = 'suspended' | 'lost' | 'revoked' | 'released'

/** The reason of a hold's aborted signal. */
export class LockLostError extends Error {
  override readonly name = 'LockLostError'
  readonly code = 'LockLost'
  readonly loss: LossCause
  constructor(what: string, loss: LossCause) {
    super(`${what} is not held any more: ${loss}`)
    this.loss = loss
  }
}

/** `suspended`: give up as soon as the connection breaks (safe). `lost`: hold on until the session is over, and rely on `guard`. */
export type LossPolicy = 'suspended' | 'lost'

/** Proof for the outside: `zxid` grows with every holder (those who share a lock may have the same). `path` exists for as long as the hold stands. */
export interface FencingToken {
  readonly zxid: Zxid
  readonly path: string
  readonly version: number
}

/** A held lock. It ends by `release`, or with its session, or when somebody deletes its node. */
export interface Hold extends AsyncDisposable {
  readonly name: string
  readonly mode: LockMode
  readonly token: FencingToken
  /** Aborts, with a LockLostError as reason, once the lock may be another's. */
  readonly signal: AbortSignal
  /** Aborts when somebody asks for the lock back (`locks.revoke`), with what they say as reason: finish and release, before it is taken away. */
  readonly asked: AbortSignal
  /** Put into a `multi`: the whole is refused (NoNode) once this hold is over. */
  guard(): Op
  /** Idempotent. Resolves when the node is gone. */
  release(): Promise<void>
}

/**
 * The hold of a place that is served. Rejects with NoNode if the place is gone, or is not this session's. A connection that breaks before it resolves
 * takes nothing away: nobody has been given anything. `fence`: higher than that of all earlier holders; by default when the place was made.
 */
export async function openHold(
  client: ZnodeClient,
  name: string,
  mode: LockMode,
  path: string,
  policy: LossPolicy,
  signal?: AbortSignal,
  fence?: Zxid,
): Promise<Hold> {
  const end = new AbortController()
  const lose = (loss: LossCause): void => {
    if (!end.signal.aborted) end.abort(new LockLostError(name, loss))
  }
  const asked = new AbortController()
  /** Who asks for it back writes into the node; who takes it away deletes it. */
  const look = async (until?: AbortSignal): Promise<Stat> => {
    const read = (options: CallOptions) => client.getData(path, { ...options, watch: changed })
    const { data, stat } = await untilAnswered(client, read, until)
    if (stat.version > 0) asked.abort(textOf(data))
    return stat
  }
  const changed = ({ type }: WatchEvent): void => {
    if (type === 'NodeDeleted') lose('revoked')
    else if (!end.signal.aborted) look().catch((error: unknown) => lose(hasCode(error, 'NoNode') ? 'revoked' : 'lost'))
  }
  let stat: Stat
  try {
    do stat = await look(signal)
    while (policy === 'suspended' && client.state === 'suspended')
    if (end.signal.aborted || stat.ephemeralOwner !== client.sessionId)
      throw new KeeperError('NoNode', `not of this session: ${path}`, { path })
  } catch (error) {
    lose('lost')
    throw error
  }
  client.onState(
    ({ state }) => {
      if (state === 'lost' || state === 'closed') lose('lost')
      else if (state === 'suspended' && policy === 'suspended') lose('suspended')
    },
    { signal: end.signal },
  )
  let released: Promise<void> | null = null
  const release = (): Promise<void> => {
    lose('released')
    released ??= leavePlace(client, path)
    return released
  }
  return {
    name,
    mode,
    token: { zxid: fence ?? stat.czxid, path, version: stat.version },
    signal: end.signal,
    asked: asked.signal,
    guard: () => ({ op: 'check', path, version: -1 }),
    release,
    [Symbol.asyncDispose]: release,
  }
}
