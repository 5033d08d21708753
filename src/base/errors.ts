/**
 * ZooKeeper's error codes (KeeperException.Code, 3.8), in PascalCase. The number is what the wire carries.
 */
export const ERROR_CODES = {
  Ok: 0,
  SystemError: -1,
  RuntimeInconsistency: -2,
  DataInconsistency: -3,
  ConnectionLoss: -4,
  MarshallingError: -5,
  Unimplemented: -6,
  OperationTimeout: -7,
  BadArguments: -8,
  NewConfigNoQuorum: -13,
  ReconfigInProgress: -14,
  ApiError: -100,
  NoNode: -101,
  NoAuth: -102,
  BadVersion: -103,
  NoChildrenForEphemerals: -108,
  NodeExists: -110,
  NotEmpty: -111,
  SessionExpired: -112,
  InvalidCallback: -113,
  InvalidACL: -114,
  AuthFailed: -115,
  SessionMoved: -118,
  NotReadOnly: -119,
  EphemeralOnLocalSession: -120,
  NoWatcher: -121,
  RequestTimeout: -122,
  ReconfigDisabled: -123,
  SessionClosedRequireSaslAuth: -124,
  QuotaExceeded: -125,
  ThrottledOp: -127,
} as const

/** What only this library says; these never travel as ZooKeeper error numbers. */
export type LocalCode =
  | 'Closed' // the keeper, client or queue was closed by its owner
  | 'Aborted' // the caller's AbortSignal fired; `cause` is its reason
  | 'Timeout' // the caller's deadline passed
  | 'WorkerFailed' // the replica's worker could not start, or died
  | 'StorageFailed' // IndexedDB is missing, blocked, full or broken
  | 'Unsupported' // the platform lacks something; the message names it
  | 'UpdateNeeded' // the log or a peer speaks a later format: reload this page
  | 'EnsembleMismatch' // another ensemble of the same name
  | 'StillRunning' // an ensemble is not to be forked: it has a quorum, or other pages here know of it
  | 'WrongSecret' // others give the same ensemble another secret, or none
  | 'TooLarge' // a value over a documented limit
  | 'TooManySessions' // whoever could serve this client serves as many as it takes (ZooKeeper only closes the connection)

export type ErrorCode = keyof typeof ERROR_CODES | LocalCode

/** Was the operation applied? `unknown` only where a reply was lost. */
export type Outcome = 'not-applied' | 'applied' | 'unknown'

export interface KeeperErrorDetails {
  /** The znode or argument that the error is about. */
  readonly path?: string | undefined
  readonly outcome?: Outcome
  readonly cause?: unknown
  /** Of a failed `multi`: one code per operation. */
  readonly results?: readonly ErrorCode[]
}

const RETRYABLE: ReadonlySet<ErrorCode> = new Set([
  'ConnectionLoss',
  'OperationTimeout',
  'ThrottledOp',
  'TooManySessions',
])

/** The one error class of the public interface. Switch on `code`. */
export class KeeperError extends Error {
  override readonly name = 'KeeperError'
  readonly code: ErrorCode
  readonly path: string | undefined
  readonly outcome: Outcome
  readonly results: readonly ErrorCode[] | undefined

  constructor(code: ErrorCode, message?: string, details: KeeperErrorDetails = {}) {
    super(message ?? (details.path === undefined ? code : `${code}: ${details.path}`), { cause: details.cause })
    this.code = code
    this.path = details.path
    this.outcome = details.outcome ?? (code === 'ConnectionLoss' ? 'unknown' : 'not-applied')
    this.results = details.results
  }

  /** May the same call succeed later, unchanged? */
  get retryable(): boolean {
    return RETRYABLE.has(this.code)
  }
}

const NAMES = new Map<number, ErrorCode>(
  Object.entries(ERROR_CODES).map(([name, number]) => [number, name as ErrorCode]),
)

/** The name of an error number from the wire; an unknown one is a `SystemError`. */
export const errorName = (number: number): ErrorCode => NAMES.get(number) ?? 'SystemError'
