import { deepEqual } from 'node:assert/strict'
import { KeeperError } from '../../src/base/errors.ts'
import { perform } from '../conformance/operations.ts'
import { PlayedClient } from '../conformance/played-client.ts'
import type { Json, Step } from '../conformance/scenario.ts'
import type { Report } from '../report.ts'
import { overTcp } from './clients.ts'
import { operations } from './random-operations.ts'
import { folder, freePort, startApache, startGateway } from './servers.ts'

const OPERATIONS = 2000
const SESSIONS = ['A', 'B'] as const

/** Two sessions do the same random things on both servers, one after another: every result and every event must be the same. */
export async function random(report: Report): Promise<void> {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  const [ours, apache] = await Promise.all([startGateway(folder(), await freePort()), startApache()])
  try {
    await report.check(
      `${OPERATIONS} random operations (SEED=${seed}), the same on gateway and ZooKeeper`,
      async () => {
        const steps = operations(seed, OPERATIONS, SESSIONS)
        const [have, want] = await Promise.all([played(steps, ours.port), played(steps, apache.port)])
        for (const [i, step] of steps.entries()) deepEqual(have[i], want[i], `step ${i} ${JSON.stringify(step)}`)
      },
    )
  } finally {
    await Promise.all([ours.kill(), apache.kill()])
  }
}

async function played(steps: readonly Step[], port: number): Promise<Json[]> {
  const clients = new Map<string, PlayedClient>()
  const owners = new Map<bigint, string>()
  for (const name of SESSIONS) {
    const client = new PlayedClient(overTcp(port), { timeout: 30_000 })
    await client.client.connected({ signal: AbortSignal.timeout(15_000) })
    owners.set(client.client.sessionId, name)
    clients.set(name, client)
  }
  const results: Json[] = []
  for (const step of steps) {
    const result = await outcome(step, clients.get(step.session as string) as PlayedClient, owners)
    const events: Json[] = []
    // What the step caused arrives before the answer to what is asked behind it.
    for (const [session, each] of clients) {
      await each.client.sync()
      await each.client.exists('/')
      events.push(...each.events.map(({ type, path }) => `${session} ${type} ${path}`))
      each.events = []
    }
    results.push({ result, events })
  }
  for (const { client } of clients.values()) await client.close()
  return ranked(results)
}

async function outcome(step: Step, client: PlayedClient, owners: ReadonlyMap<bigint, string>): Promise<Json> {
  try {
    return await perform(step, client, owners)
  } catch (error) {
    if (!(error instanceof KeeperError)) throw error
    return { error: error.code, results: [...(error.results ?? [])] }
  }
}

/** Each zxid by its rank among all that were seen. */
function ranked(results: readonly Json[]): Json[] {
  const seen = new Set<number>()
  const visit = (value: Json, change: (zxid: number) => number): Json => {
    if (Array.isArray(value)) return value.map((each: Json) => visit(each, change))
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(([key, inner]: [string, Json]): [string, Json] =>
      /^[cmp]zxid$/.test(key) ? [key, change(inner as number)] : [key, visit(inner, change)],
    )
    return Object.fromEntries(entries)
  }
  const note = (zxid: number): number => {
    seen.add(zxid)
    return zxid
  }
  for (const result of results) visit(result, note)
  const ranks = new Map([...seen].sort((a, b) => a - b).map((zxid, rank) => [zxid, rank]))
  return results.map((result) => visit(result, (zxid) => ranks.get(zxid) ?? -1))
}
