import { isDeepStrictEqual } from 'node:util'
import { bytesOf, showData } from './notation.ts'
import type { Json, Scenario, SeenEvent } from './scenario.ts'

export interface Outcome {
  /** Of each step, in order. */
  readonly steps: readonly { readonly result: Json; readonly events: readonly SeenEvent[] }[]
  readonly finalTree: readonly Json[]
}

/** In these steps the order of events is not defined. */
const UNORDERED = new Set(['close', 'expire', 'reconnect', 'removeWatches'])
const ZXIDS = new Set(['czxid', 'mzxid', 'pzxid'])

/** One line for each difference between what was recorded and what happened. */
export function differences(scenario: Scenario, outcome: Outcome): string[] {
  const ranks = ranksOf([...outcome.steps.map((step) => step.result), ...outcome.finalTree])
  const found: string[] = []
  scenario.steps.forEach((step, i) => {
    const happened = outcome.steps[i]
    const { expect, events = [], ...asked } = step
    const told = `step ${i} ${JSON.stringify(asked)}`
    const wanted = canonical(expect, null)
    const got = canonical(happened?.result ?? null, ranks)
    if (!isDeepStrictEqual(wanted, got)) found.push(`${told}\n${both(wanted, got)}`)
    const wantedEvents = eventLines(events, UNORDERED.has(step.op))
    const gotEvents = eventLines(happened?.events ?? [], UNORDERED.has(step.op))
    if (!isDeepStrictEqual(wantedEvents, gotEvents)) found.push(`${told} events\n${both(wantedEvents, gotEvents)}`)
  })
  const wantedTree = scenario.finalTree.map((node) => canonical(withoutKind(node), null))
  const gotTree = outcome.finalTree.map((node) => canonical(node, ranks))
  for (let i = 0; i < Math.max(wantedTree.length, gotTree.length); i++) {
    if (!isDeepStrictEqual(wantedTree[i], gotTree[i])) {
      found.push(`final tree, node ${i}\n${both(wantedTree[i] ?? null, gotTree[i] ?? null)}`)
    }
  }
  return found
}

const both = (wanted: Json, got: Json): string => `    want ${brief(wanted)}\n    have ${brief(got)}`
const brief = (value: Json): string => JSON.stringify(value).slice(0, 700)

/** Grouped by session, since the order between sessions is not defined. */
function eventLines(events: readonly SeenEvent[], unordered: boolean): string[] {
  const sessions = [...new Set(events.map((event) => event.session))].sort()
  return sessions.flatMap((session) => {
    const lines = events
      .filter((event) => event.session === session)
      .map(({ type, path }) => `${session} ${path} ${type}`)
    return unordered ? lines.sort() : lines
  })
}

const withoutKind = (node: Json): Json =>
  Object.fromEntries(Object.entries(node as object).filter(([key]) => key !== 'kind' && key !== 'ttl'))

/** Data in one spelling, ACLs sorted, zxids as ranks. */
function canonical(value: Json, ranks: ReadonlyMap<number, number> | null): Json {
  if (Array.isArray(value)) return value.map((each: Json) => canonical(each, ranks))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, Json]) => {
      if (key === 'data') return [key, showData(bytesOf(inner))]
      if (key === 'acl') return [key, [...(inner as string[])].sort()]
      if (ZXIDS.has(key) && ranks !== null) return [key, ranks.get(inner as number) ?? inner]
      return [key, canonical(inner, ranks)]
    }),
  )
}

function ranksOf(values: readonly Json[]): Map<number, number> {
  const zxids = new Set<number>()
  const visit = (value: Json): void => {
    if (Array.isArray(value)) value.forEach(visit)
    else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value) as [string, Json][]) {
        if (ZXIDS.has(key)) zxids.add(inner as number)
        else visit(inner)
      }
    }
  }
  values.forEach(visit)
  zxids.delete(0)
  return new Map([[0, 0], ...[...zxids].sort((a, b) => a - b).map((zxid, i) => [zxid, i + 1] as [number, number])])
}
