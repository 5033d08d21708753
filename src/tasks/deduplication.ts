import { KeeperError } from '../base/errors.ts'
import { checkNumber } from './names.ts'
import type { AddOptions, DedupOptions } from './task-types.ts'

const YEAR: number = 366 * 24 * 3600 * 1000
const MODES = ['join', 'reject', 'replace', 'debounce', 'rerun'] as const

export interface DedupRule {
  readonly mode: (typeof MODES)[number]
  readonly throttle: number
}

/** BadArguments names what is wrong. The key is checked with the record. */
export function checkDedup(options: AddOptions): DedupRule {
  const { mode = 'join', throttle = 0 } = options.dedup as DedupOptions
  if (!MODES.includes(mode)) {
    throw new KeeperError('BadArguments', `dedup.mode must be one of ${MODES.join(', ')}`, { path: 'dedup.mode' })
  }
  if (mode === 'debounce' && !((options.delay ?? 0) > 0)) {
    throw new KeeperError('BadArguments', 'dedup.mode debounce needs a delay', { path: 'dedup.mode' })
  }
  if (mode === 'rerun' && options.after !== undefined) {
    throw new KeeperError('BadArguments', 'dedup.mode rerun says itself what to wait for', { path: 'after' })
  }
  return { mode, throttle: checkNumber('dedup.throttle', throttle, 0, YEAR) }
}

/** The task that has the key now. */
export interface KeyHolder {
  readonly ended: boolean
  /** It waits for a task that has not ended. */
  readonly blocked: boolean
  /** Its first attempt may have begun. */
  readonly begun: boolean
  /** Milliseconds since it got the key. */
  readonly age: number
}

/**
 * What becomes of a new task of the same key. `replace`: the other one is cancelled in the same transaction; what it waited for, the new
 * one waits for. `follow`: it waits until the other one has ended.
 */
export function dedupChoice(
  { mode, throttle }: DedupRule,
  holder: KeyHolder,
): 'add' | 'join' | 'reject' | 'replace' | 'follow' {
  const duplicate = !holder.ended || holder.age < throttle
  if (!duplicate) return 'add'
  if (mode === 'join' || mode === 'reject') return mode
  if (holder.ended) return 'join'
  if (mode === 'rerun') return holder.blocked || !holder.begun ? 'replace' : 'follow'
  return mode === 'replace' || !holder.begun ? 'replace' : 'add'
}
