import { KeeperError } from '../base/errors.ts'
import { type EnsembleId, isReplicaId, type ReplicaId } from '../base/ids.ts'
import { LIMITS, TIMES } from '../base/limits.ts'
import { BroadcastChannelSignaling } from '../signaling/broadcast-channel.ts'
import type { Signaling } from '../signaling/signaling.ts'
import type { KeeperOpenOptions } from './api.ts'

const NAME_LENGTH_MAX = 128
const DAY = 86_400_000

type Defaulted = 'sessionTimeout' | 'voters' | 'create' | 'handoverAfterHidden'
export type CheckedOptions = KeeperOpenOptions &
  Required<Pick<KeeperOpenOptions, Defaulted>> & {
    /** The ensemble that an invitation names. */
    readonly join?: EnsembleId
    /** The ensemble that a new one is to be made of. */
    readonly fork?: EnsembleId
    /** Nothing but what this browser holds. */
    readonly heldHere?: boolean
    /** A client's, from an invitation; it may have no secret then. */
    readonly clientKey?: Uint8Array
  }

/** With defaults filled in. Throws `BadArguments`, naming the option in message and `path`. */
export function checkOpenOptions(options: KeeperOpenOptions): CheckedOptions {
  if (typeof options !== 'object' || options === null) throw refuse('options', 'must be an object')
  const { ensemble, sessionTimeout = TIMES.sessionTimeout, voters = 3, create = 'auto' } = options
  const { handoverAfterHidden = TIMES.handoverAfterHidden } = options
  if (
    typeof ensemble !== 'string' ||
    ensemble.length < 1 ||
    ensemble.length > NAME_LENGTH_MAX ||
    !ensemble.isWellFormed()
  )
    throw refuse('ensemble', `must be a string of 1 to ${NAME_LENGTH_MAX} characters`)
  if (
    !Number.isInteger(sessionTimeout) ||
    sessionTimeout < TIMES.sessionTimeoutMin ||
    sessionTimeout > TIMES.sessionTimeoutMax
  )
    throw refuse('sessionTimeout', `must be an integer from ${TIMES.sessionTimeoutMin} to ${TIMES.sessionTimeoutMax}`)
  if (!Number.isInteger(handoverAfterHidden) || handoverAfterHidden < 0 || handoverAfterHidden > DAY)
    throw refuse('handoverAfterHidden', `must be an integer from 0 to ${DAY}`)
  if (voters !== 1 && voters !== 3 && voters !== 5) throw refuse('voters', 'must be 1, 3 or 5')
  if (create !== 'auto' && create !== 'always' && create !== 'never')
    throw refuse('create', "must be 'auto', 'always' or 'never'")
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal))
    throw refuse('signal', 'must be an AbortSignal')
  for (const name of ['worker', 'onNotice', 'onProgress'] as const)
    if (options[name] !== undefined && typeof options[name] !== 'function') throw refuse(name, 'must be a function')
  const { role } = options
  if (role !== undefined && role !== 'member' && role !== 'client') throw refuse('role', "must be 'member' or 'client'")
  if (role === 'client' && options.server === undefined && isOwnSignaling(options.signaling))
    throw refuse(
      'signaling',
      "of a client must be addresses of servers: an application's own brings members together, not clients",
    )
  if (options.server !== undefined) checkServer(options.server)
  checkWires(options)
  return { ...options, sessionTimeout, voters, create, handoverAfterHidden }
}

/** Throws `BadArguments` unless these could be the voters of some ensemble. */
export function checkVoters(voters: unknown): asserts voters is readonly ReplicaId[] {
  if (!Array.isArray(voters) || !voters.every(isReplicaId)) throw refuse('voters', 'must be an array of replica ids')
  if (new Set(voters).size !== voters.length) throw refuse('voters', 'must name each one once')
  // One more than an odd number bears no failure more.
  if (voters.length % 2 === 0 || voters.length > LIMITS.votersMax)
    throw refuse('voters', `must be an odd number of members, at most ${LIMITS.votersMax}`)
}

function checkWires({ signaling, secret, iceServers, iceTransportPolicy }: KeeperOpenOptions): void {
  if (Array.isArray(signaling)) {
    if (signaling.length === 0) throw refuse('signaling', 'must name one server at least')
    for (const url of signaling) if (!isSocketAddress(url)) throw refuse('signaling', 'must be ws: or wss: addresses')
  } else if (signaling !== undefined && !isSignaling(signaling))
    throw refuse('signaling', 'must be addresses of servers, or have join, send and leave')
  const isBytes = secret instanceof Uint8Array && secret.length >= 16 && secret.length <= 64
  if (secret !== undefined && secret !== null && !isBytes && (typeof secret !== 'string' || secret === ''))
    throw refuse('secret', 'must be a password, or 16 to 64 bytes')
  if (signaling !== undefined && secret === undefined && !(signaling instanceof BroadcastChannelSignaling))
    throw refuse('secret', 'is needed with signaling (null: whoever reaches the signaling may be a member)')
  if (iceServers !== undefined && typeof iceServers !== 'function' && !Array.isArray(iceServers))
    throw refuse('iceServers', 'must be an array, or a function that gives one')
  if (iceTransportPolicy !== undefined && iceTransportPolicy !== 'all' && iceTransportPolicy !== 'relay')
    throw refuse('iceTransportPolicy', "must be 'all' or 'relay'")
}

const isSignaling = (given: unknown): boolean =>
  (['join', 'send', 'leave'] as const).every(
    (name) => typeof (given as Partial<Signaling> | null)?.[name] === 'function',
  )

const isOwnSignaling = (signaling: KeeperOpenOptions['signaling']): boolean =>
  signaling !== undefined && !Array.isArray(signaling) && !(signaling instanceof BroadcastChannelSignaling)

const isSocketAddress = (url: unknown): boolean =>
  typeof url === 'string' && URL.canParse(url) && /^wss?:$/.test(new URL(url).protocol) && new URL(url).hash === ''

function checkServer(server: unknown): void {
  if (!isSocketAddress(server)) throw refuse('server', 'must be a ws: or wss: address without #')
}

const refuse = (path: string, what: string): KeeperError =>
  new KeeperError('BadArguments', `${path} ${what}.`, { path })
