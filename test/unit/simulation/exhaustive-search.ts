import { ERROR_CODES } from '../../../src/base/errors.ts'
import type { Op, Result } from '../../simulation/history/types.ts'

/** A request as a black box shows it: who, when, what, and what was answered. No zxid, no log. */
export interface Plain {
  readonly client: number
  readonly invoked: number
  readonly op: Op
  readonly reply: { readonly at: number; readonly result: Result } | null
}

/** An explanation: when each write that was done was committed, and how many were committed in the state that each read shows. */
export interface Witness {
  readonly commits: readonly { readonly call: Plain; readonly at: number }[]
  readonly shows: ReadonlyMap<Plain, number>
}

type Tree = ReadonlyMap<string, { readonly data: string | null; readonly version: number }>

interface Moment {
  readonly commits: Witness['commits']
  /** Behind 0, 1, 2, … commits. */
  readonly trees: readonly Tree[]
  readonly shows: ReadonlyMap<Plain, number>
  /** How much each client has seen. */
  readonly seen: readonly number[]
  /** What anybody had been told when each sync was asked for. */
  readonly told: number
  readonly floors: ReadonlyMap<Plain, number>
}

type Happening = { readonly at: number; readonly kind: 'asked' | 'answered'; readonly call: Plain }

/** Tries everything: every order of commits, every state for every read. Exponential, and simple enough to be believed. */
export function search(calls: readonly Plain[], clients: number): Witness | null {
  const happenings: Happening[] = calls.flatMap((call) => [
    { at: call.invoked, kind: 'asked' as const, call },
    ...(call.reply === null ? [] : [{ at: call.reply.at, kind: 'answered' as const, call }]),
  ])
  happenings.sort((a, b) => a.at - b.at)
  const first: Moment = {
    commits: [],
    trees: [new Map([['/', { data: '', version: 0 }]])],
    shows: new Map(),
    seen: Array.from({ length: clients }, () => 0),
    told: 0,
    floors: new Map(),
  }
  return from(0, first)

  function from(next: number, moment: Moment): Witness | null {
    const happening = happenings[next]
    if (happening === undefined) return moment
    for (const after of happens(happening, moment)) {
      const found = from(next + 1, after)
      if (found !== null) return found
    }
    // Something that was asked for may be committed first.
    for (const call of calls) {
      if (!mayCommit(call, happening.at, moment)) continue
      const at = (happenings[next - 1]?.at ?? 0) + (moment.commits.length + 1) / 1000
      const { tree, result } = effect(moment.trees.at(-1) ?? new Map(), call.op)
      if (call.reply !== null && !sameResult(result, call.reply.result)) continue
      const found = from(next, {
        ...moment,
        commits: [...moment.commits, { call, at }],
        trees: [...moment.trees, tree],
      })
      if (found !== null) return found
    }
    return null
  }

  /** It was asked for, is not answered yet, and its client's writes before it are done, or never will be. */
  function mayCommit(call: Plain, now: number, { commits }: Moment): boolean {
    if (!isWrite(call.op) || call.invoked >= now || commits.some((one) => one.call === call)) return false
    if (call.reply !== null && call.reply.at < now) return false
    return !calls.some(
      (other) =>
        other.client === call.client &&
        isWrite(other.op) &&
        (other.invoked < call.invoked
          ? other.reply !== null && !commits.some((one) => one.call === other)
          : other.invoked > call.invoked && commits.some((one) => one.call === other)),
    )
  }
}

/** All ways in which it can be true. */
function happens({ kind, call }: Happening, moment: Moment): Moment[] {
  const { commits, trees, seen, told, floors, shows } = moment
  if (kind === 'asked') return [{ ...moment, floors: new Map(floors).set(call, told) }]
  const known = seen[call.client] ?? 0
  const stands = (position: number): Moment => ({
    ...moment,
    shows: new Map(shows).set(call, position),
    seen: seen.map((one, at) => (at === call.client ? position : one)),
    told: Math.max(told, position),
  })
  if (isWrite(call.op)) {
    const at = commits.findIndex((one) => one.call === call)
    return at < 0 || at + 1 < known ? [] : [stands(at + 1)]
  }
  const moments: Moment[] = []
  for (let position = known; position <= commits.length; position++) {
    if (call.op.kind === 'sync' && position < (floors.get(call) ?? 0)) continue
    const tree = trees[position]
    if (tree !== undefined && sameResult(effect(tree, call.op).result, call.reply?.result ?? {}))
      moments.push(stands(position))
  }
  return moments
}

const isWrite = ({ kind }: Op): boolean => kind === 'create' || kind === 'setData' || kind === 'delete'

function effect(tree: Tree, op: Op): { readonly tree: Tree; readonly result: Result } {
  const path = 'path' in op ? op.path : '/'
  const node = tree.get(path)
  const next = new Map(tree)
  if (op.kind === 'create') {
    if (node !== undefined) return { tree, result: { error: ERROR_CODES.NodeExists } }
    next.set(path, { data: op.data, version: 0 })
    return { tree: next, result: { path } }
  }
  if (op.kind === 'sync') return { tree, result: {} }
  if (node === undefined) return { tree, result: { error: ERROR_CODES.NoNode } }
  const { version, data } = node
  if (op.kind === 'getData') return { tree, result: { data, stat: { version } } }
  if ('version' in op && op.version !== -1 && op.version !== version)
    return { tree, result: { error: ERROR_CODES.BadVersion } }
  if (op.kind === 'delete') {
    next.delete(path)
    return { tree: next, result: {} }
  }
  if (op.kind !== 'setData') throw new Error(`${op.kind} is not searched`)
  next.set(path, { data: op.data, version: version + 1 })
  return { tree: next, result: { stat: { version: version + 1 } } }
}

export const sameResult = (a: Result, b: Result): boolean =>
  (a.error ?? 0) === (b.error ?? 0) && a.path === b.path && a.data === b.data && a.stat?.version === b.stat?.version
