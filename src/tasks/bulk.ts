import { KeeperError } from '../base/errors.ts'
import { checkObject, refuse } from '../client/arguments.ts'
import type { AddOptions } from './task-types.ts'

interface Item {
  readonly options?: AddOptions
}

const idOf = (one: string | { readonly id: string }): string => (typeof one === 'string' ? one : one?.id)

/** For each item, which others of the list it comes after. BadArguments: a cycle. */
export function orderOf(items: readonly Item[]): readonly (readonly number[])[] {
  if (!Array.isArray(items as unknown)) throw refuse('items', 'must be a list')
  for (const [i, item] of items.entries()) checkObject(item, `items[${i}]`)
  const byId = new Map(items.flatMap(({ options }, i) => (options?.id === undefined ? [] : [[options.id, i] as const])))
  const before = items.map(({ options }) =>
    (Array.isArray(options?.after) ? options.after : []).flatMap((one) => byId.get(idOf(one)) ?? []),
  )
  const state = new Map<number, 'open' | 'closed'>()
  // Without recursion: a chain may be long.
  for (const start of items.keys()) {
    const path: { readonly item: number; next: number }[] = [{ item: start, next: 0 }]
    while (path.length > 0) {
      const top = path.at(-1) as { item: number; next: number }
      if (state.get(top.item) === 'closed') path.pop()
      else {
        state.set(top.item, 'open')
        const next = before[top.item]?.[top.next++]
        if (next === undefined) state.set(top.item, 'closed')
        else if (state.get(next) === 'open') {
          throw new KeeperError('BadArguments', `${items[next]?.options?.id} would wait for itself: a cycle`, {
            path: 'after',
          })
        } else path.push({ item: next, next: 0 })
      }
    }
  }
  return before
}

/** The items so that each comes after those it waits for. */
export function inOrder(before: readonly (readonly number[])[]): readonly number[] {
  const order: number[] = []
  const seen = new Set<number>()
  for (const start of before.keys()) {
    const path = [start]
    while (path.length > 0) {
      const item = path.at(-1) as number
      const missing = (before[item] ?? []).find((one) => !seen.has(one))
      if (missing !== undefined && !seen.has(item)) path.push(missing)
      else {
        path.pop()
        if (!seen.has(item)) order.push(item)
        seen.add(item)
      }
    }
  }
  return order
}
