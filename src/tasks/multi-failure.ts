import { type ErrorCode, KeeperError } from '../base/errors.ts'

/** Which operation of a refused `multi` was the reason. */
export interface FailedOp {
  readonly index: number
  readonly code: ErrorCode
}

/** Null: the error is not about one operation (connection, session, size). */
export function failedOp(error: unknown): FailedOp | null {
  if (!(error instanceof KeeperError) || error.results === undefined) return null
  const index = error.results.findIndex((code) => code !== 'Ok' && code !== 'RuntimeInconsistency')
  const code = error.results[index]
  return code === undefined ? null : { index, code }
}
