import { checkOptions, isSignal, refuse } from '../client/arguments.ts'
import type { LossPolicy } from './hold.ts'

/** Options that may bring a signal. Throws BadArguments before anything is begun. */
export function checkWait<T extends { readonly signal?: AbortSignal | undefined }>(options: T): T {
  if (!isSignal(checkOptions(options).signal)) throw refuse('signal', 'must be an AbortSignal')
  return options
}

/** What is to be called while something is held: who forgot it must hear so before anything is taken. */
export function checkCallback(callback: unknown, argument = 'callback'): void {
  if (typeof callback !== 'function') throw refuse(argument, 'must be a function')
}

/** `suspended`, the safe one, unless it is said. */
export function checkLossPolicy(policy: LossPolicy | undefined): LossPolicy {
  if (policy === undefined || policy === 'suspended' || policy === 'lost') return policy ?? 'suspended'
  throw refuse('lossPolicy', 'must be "suspended" or "lost"')
}
