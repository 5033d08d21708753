import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The files' format: vectors/README.md. */
export interface Scenario {
  readonly name: string
  readonly area: string
  readonly description: string
  /** An odd behaviour of that version of ZooKeeper, which the scenario pins down. */
  readonly quirk?: string
  readonly server?: { readonly enforceQuota?: boolean }
  readonly sessions: Readonly<Record<string, { readonly timeout: number; readonly chroot?: string }>>
  readonly steps: readonly Step[]
  readonly finalTree: readonly Json[]
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

export interface Step extends Arguments {
  readonly session?: string
  readonly op: string
  readonly expect: Json
  readonly events?: readonly SeenEvent[]
}

export interface Arguments {
  readonly path?: string
  readonly data?: Json
  readonly mode?: string
  readonly acl?: readonly string[]
  readonly ttl?: number
  readonly version?: number
  readonly watch?: boolean
  readonly stat?: boolean
  readonly ops?: readonly (Arguments & { readonly op: string })[]
  readonly scheme?: string
  readonly auth?: string
  readonly prefix?: string
  readonly type?: string
  readonly local?: boolean
  readonly one?: boolean
  readonly of?: string
  readonly badPassword?: boolean
  readonly ms?: number
}

export interface SeenEvent {
  readonly session: string
  readonly type: string
  readonly path: string
}

export function loadScenarios(folder: string): Scenario[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Scenario)
}
