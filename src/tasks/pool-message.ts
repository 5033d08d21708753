import type { Op } from '../client/api.ts'
import type { FencingToken } from '../recipes/hold.ts'
import type { RunEnd } from './task-error.ts'
import type { TaskFailure } from './task-record.ts'

/** What a page says to a Worker of its pool: one run at a time. */
export type ToPool =
  | {
      readonly kind: 'run'
      readonly name: string
      readonly input: unknown
      readonly id: string
      readonly attempt: number
      readonly token: FencingToken
      readonly checkpoint: unknown
    }
  | { readonly kind: 'abort'; readonly code: RunEnd; readonly message: string }
  | { readonly kind: 'saved'; readonly call: number; readonly failure: TaskFailure | null }

/** What the Worker says. `ready` comes once, and before anything else. */
export type FromPool =
  | { readonly kind: 'ready'; readonly names: readonly string[] }
  | { readonly kind: 'progress'; readonly value: unknown }
  | { readonly kind: 'log'; readonly line: string }
  | { readonly kind: 'save'; readonly call: number; readonly state: unknown }
  | { readonly kind: 'done'; readonly output: unknown; readonly also: readonly Op[] }
  | { readonly kind: 'failed'; readonly failure: TaskFailure }

/** The part of a Worker's global scope that is needed. */
export interface PoolScope {
  postMessage(message: FromPool): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
}

export const errorOf = ({ name, message }: TaskFailure): Error => Object.assign(new Error(message), { name })
