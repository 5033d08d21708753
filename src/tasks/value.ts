import { EMPTY, fromUtf8, utf8 } from '../base/bytes.ts'
import { KeeperError } from '../base/errors.ts'

/** A task's input or output as it travels: nothing, JSON, or raw bytes. */
export interface Value {
  readonly kind: 'none' | 'json' | 'bytes'
  readonly bytes: Uint8Array
}

export const NO_VALUE: Value = { kind: 'none', bytes: EMPTY }

export const VALUE_BYTES_DEFAULT: number = 32 * 1024
export const VALUE_BYTES_MAX: number = 256 * 1024

/** A Uint8Array travels as its bytes, anything else as JSON. BadArguments: not expressible; TooLarge: over `limit` bytes. */
export function toValue(argument: string, value: unknown, limit: number): Value {
  if (value === undefined) return NO_VALUE
  const encoded: Value =
    value instanceof Uint8Array ? { kind: 'bytes', bytes: value } : { kind: 'json', bytes: jsonBytes(argument, value) }
  if (encoded.bytes.length > limit) {
    throw new KeeperError(
      'TooLarge',
      `${argument} takes ${encoded.bytes.length} bytes, over the limit of ${limit}: pass a reference to it instead`,
      { path: argument },
    )
  }
  return encoded
}

function jsonBytes(argument: string, value: unknown): Uint8Array {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (cause) {
    throw new KeeperError('BadArguments', `${argument} cannot be written as JSON`, { path: argument, cause })
  }
  if (text === undefined) {
    throw new KeeperError('BadArguments', `${argument} must be a JSON value, a Uint8Array or undefined`, {
      path: argument,
    })
  }
  return utf8(text)
}

/** Throws MarshallingError where another page wrote what is no JSON. */
export function fromValue(value: Value): unknown {
  if (value.kind === 'none') return undefined
  if (value.kind === 'bytes') return value.bytes
  try {
    return JSON.parse(fromUtf8(value.bytes)) as unknown
  } catch (cause) {
    throw new KeeperError('MarshallingError', 'a task holds what is no JSON', { cause })
  }
}
