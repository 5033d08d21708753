import { KeeperError } from '../base/errors.ts'
import { isLabels, type Labels } from './names.ts'

export const bad = (what: string, cause?: unknown): KeeperError =>
  new KeeperError('MarshallingError', `not as a page writes it: ${what}`, { cause })

/** The fields of what another page wrote. Each reader checks, or throws MarshallingError with the field's name. */
export class Fields {
  readonly #of: Readonly<Record<string, unknown>>

  constructor(of: Readonly<Record<string, unknown>>) {
    this.#of = of
  }

  isNull(key: string): boolean {
    return this.#of[key] === null
  }

  text(key: string): string {
    const value = this.#of[key]
    if (typeof value !== 'string') throw bad(key)
    return value
  }

  integer(key: string): number {
    const value = this.#of[key]
    if (!Number.isSafeInteger(value)) throw bad(key)
    return value as number
  }

  count(key: string): number {
    const value = this.integer(key)
    if (value < 0) throw bad(key)
    return value
  }

  amount(key: string): number {
    const value = this.#of[key]
    if (typeof value !== 'number' || !(value >= 0)) throw bad(key)
    return value
  }

  oneOf<T extends string>(key: string, allowed: readonly T[]): T {
    const found = allowed.find((candidate) => candidate === this.#of[key])
    if (found === undefined) throw bad(key)
    return found
  }

  labels(key: string): Labels {
    const value = this.#of[key]
    if (!isLabels(value)) throw bad(key)
    return value
  }

  fields(key: string): Fields {
    const value = this.#of[key]
    if (typeof value !== 'object' || value === null) throw bad(key)
    return new Fields(value as Readonly<Record<string, unknown>>)
  }

  /** Not where an older page wrote it. */
  has(key: string): boolean {
    return this.#of[key] !== undefined
  }

  texts(key: string): readonly string[] {
    const value = this.#of[key]
    if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) throw bad(key)
    return value as readonly string[]
  }

  /** JSON of any kind; undefined where there is none. */
  any(key: string): unknown {
    return this.#of[key]
  }
}
