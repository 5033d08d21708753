import { fromUtf8 } from '../base/bytes.ts'
import { KeeperError } from '../base/errors.ts'

/** Throws BadArguments for what JSON does not hold. */
export function toJson(argument: string, value: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (error) {
    throw new KeeperError('BadArguments', `${argument} cannot be written as JSON: ${String(error)}`, {
      path: argument,
      cause: error,
    })
  }
  if (text === undefined)
    throw new KeeperError('BadArguments', `${argument} cannot be written as JSON`, { path: argument })
  return text
}

/** What another page wrote there: undefined for bytes that are no JSON. */
export function fromJson(bytes: Uint8Array | null): unknown {
  if (bytes === null || bytes.length === 0) return undefined
  try {
    return JSON.parse(fromUtf8(bytes))
  } catch {
    return undefined
  }
}

/** Another page wrote it: what is no text is shown as nothing. */
export function textOf(data: Uint8Array | null): string {
  try {
    return data === null ? '' : fromUtf8(data)
  } catch {
    return ''
  }
}
