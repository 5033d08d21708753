import { KeeperError } from '../base/errors.ts'

const refuse = (argument: string, message: string): never => {
  throw new KeeperError('BadArguments', `${argument} ${message}`, { path: argument })
}

const WORD = /^[A-Za-z0-9_][A-Za-z0-9._:@-]*$/

/** A queue's name or a task's id: 1 to 128 letters, digits and `._:@-`, not starting with a punctuation mark. */
export function checkWord(argument: string, value: unknown): string {
  return typeof value === 'string' && value.length <= 128 && WORD.test(value) && value !== 'zookeeper'
    ? value
    : refuse(argument, 'must be 1 to 128 letters, digits or ._:@- and start with a letter, a digit or _')
}

export const isWord = (value: string): boolean => value.length <= 128 && WORD.test(value)

/** What kind of task: any text of 1 to 128 characters. */
export function checkTaskName(argument: string, value: unknown): string {
  return typeof value === 'string' && value.length >= 1 && value.length <= 128 && value.isWellFormed()
    ? value
    : refuse(argument, 'must be a text of 1 to 128 characters')
}

export function checkInteger(argument: string, value: unknown, min: number, max: number): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
    ? value
    : refuse(argument, `must be an integer from ${min} to ${max}`)
}

export function checkNumber(argument: string, value: unknown, min: number, max: number): number {
  return typeof value === 'number' && value >= min && value <= max
    ? value
    : refuse(argument, `must be a number from ${min} to ${max}`)
}

/** What a worker offers, or a task requires of its worker. */
export type Labels = Readonly<Record<string, string | number | boolean>>

export const LABELS_MAX = 32

export function isLabels(value: unknown): value is Labels {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const entries = Object.entries(value)
  return (
    entries.length <= LABELS_MAX &&
    entries.every(
      ([key, label]) =>
        key.length <= 64 &&
        ((typeof label === 'string' && label.length <= 256) || typeof label === 'boolean' || Number.isFinite(label)),
    )
  )
}

export const checkLabels = (argument: string, value: unknown): Labels =>
  isLabels(value) ? value : refuse(argument, `must be at most ${LABELS_MAX} short texts, numbers or booleans by name`)
