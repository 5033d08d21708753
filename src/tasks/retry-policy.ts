import { refuse } from '../client/arguments.ts'
import { checkInteger, checkNumber } from './names.ts'

/** How failed attempts are repeated. */
export interface RetryOptions {
  /** Attempts after the first. Default 0. */
  readonly max?: number
  readonly backoff?: {
    readonly type?: 'fixed' | 'exponential'
    /** Milliseconds before the first repetition. Default 1000. */
    readonly delay?: number
    /** Milliseconds; an exponential delay stops growing here. Default 60 000. */
    readonly max?: number
    /** Up to this part of the delay is added by chance, so that what failed together does not return together. Default 0.2. */
    readonly jitter?: number
  }
}

export interface RetryPolicy {
  readonly max: number
  readonly growth: 1 | 2
  readonly delay: number
  readonly delayMax: number
  readonly jitter: number
}

const DAYS_24: number = 24 * 24 * 3600 * 1000

export function checkRetry(options: RetryOptions | undefined): RetryPolicy {
  const backoff = options?.backoff
  const type: unknown = backoff?.type ?? 'exponential'
  if (type !== 'fixed' && type !== 'exponential') throw refuse('retry.backoff.type', 'must be fixed or exponential')
  return {
    max: checkInteger('retry.max', options?.max ?? 0, 0, 1_000_000),
    growth: type === 'fixed' ? 1 : 2,
    delay: checkNumber('retry.backoff.delay', backoff?.delay ?? 1000, 0, DAYS_24),
    delayMax: checkNumber('retry.backoff.max', backoff?.max ?? 60_000, 0, DAYS_24),
    jitter: checkNumber('retry.backoff.jitter', backoff?.jitter ?? 0.2, 0, 1),
  }
}

/** Milliseconds until the next attempt, after `fails` failures (1 or more). `chance` is in [0, 1). */
export function retryDelay(policy: RetryPolicy, fails: number, chance: number): number {
  const grown = policy.delay * policy.growth ** Math.min(fails - 1, 60)
  const delay = Math.min(grown, policy.growth === 1 ? policy.delay : policy.delayMax)
  return Math.round(delay * (1 + policy.jitter * chance))
}
