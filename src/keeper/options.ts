import { KeeperError } from '../base/errors.ts'
import { TIMES } from '../base/limits.ts'
import type { KeeperOpenOptions } from './api.ts'

const NAME_LENGTH_MAX = 128

type Defaulted = 'sessionTimeout' | 'voters' | 'create'
export type CheckedOptions = KeeperOpenOptions & Required<Pick<KeeperOpenOptions, Defaulted>>

/** With defaults filled in. Throws `BadArguments`, naming the option in message and `path`. */
export function checkOptions(options: KeeperOpenOptions): CheckedOptions {
  if (typeof options !== 'object' || options === null) throw refuse('options', 'must be an object')
  const { ensemble, sessionTimeout = TIMES.sessionTimeout, voters = 3, create = 'auto' } = options
  if (typeof ensemble !== 'string' || ensemble.length < 1 || ensemble.length > NAME_LENGTH_MAX)
    throw refuse('ensemble', `must be a string of 1 to ${NAME_LENGTH_MAX} characters`)
  if (
    !Number.isInteger(sessionTimeout) ||
    sessionTimeout < TIMES.sessionTimeoutMin ||
    sessionTimeout > TIMES.sessionTimeoutMax
  )
    throw refuse('sessionTimeout', `must be an integer from ${TIMES.sessionTimeoutMin} to ${TIMES.sessionTimeoutMax}`)
  if (voters !== 1 && voters !== 3 && voters !== 5) throw refuse('voters', 'must be 1, 3 or 5')
  if (create !== 'auto' && create !== 'always' && create !== 'never')
    throw refuse('create', "must be 'auto', 'always' or 'never'")
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal))
    throw refuse('signal', 'must be an AbortSignal')
  for (const name of ['worker', 'onNotice'] as const)
    if (options[name] !== undefined && typeof options[name] !== 'function') throw refuse(name, 'must be a function')
  if (options.server !== undefined) checkServer(options.server)
  return { ...options, sessionTimeout, voters, create }
}

function checkServer(server: unknown): void {
  const known = typeof server === 'string' && URL.canParse(server) && /^wss?:$/.test(new URL(server).protocol)
  if (!known || new URL(server).hash !== '') throw refuse('server', 'must be a ws: or wss: address without #')
}

const refuse = (path: string, what: string): KeeperError =>
  new KeeperError('BadArguments', `${path} ${what}.`, { path })
