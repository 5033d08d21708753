import { formatZxid } from '../../../src/base/zxid.ts'
import { agrees, sameBody, show, writeAnswer } from './reference-answers.ts'
import { demand, type Step } from './step.ts'
import { type Call, type Connection, isWrite, type Trail, who } from './trail.ts'
import type { LogEntry, Result } from './types.ts'

/**
 * Step 2: writes are linearizable. Every acknowledged one is in the log, once, as the request that it was, with the effect and the
 * answer that the reference gives; in the order of each connection and of real time. One without an answer is there or not, as it was asked.
 */
export function writesStep(trail: Trail): Step {
  const origins = new Origins(trail)
  const acknowledged = [...trail.calls].filter(({ op, reply }) => isWrite(op) && reply !== null)
  acknowledged.sort((a, b) => (a.reply?.at ?? 0) - (b.reply?.at ?? 0))
  let begun = false
  const realTime = new RealTime(trail, acknowledged)
  const lastXid = new Map<string, number>()
  /** What a numbered request was answered, or would have been. */
  const answers = new Map<string, Result>()
  return {
    step: 2,
    before(position, entry, tree) {
      if (!begun) {
        begun = true
        for (const call of acknowledged) isInLog(trail, call)
        origins.bind(acknowledged)
      }
      const client = trail.bySession.get(entry.session)
      if (client === undefined || entry.cxid === 0) return
      const order = `${entry.session}/${entry.origin}`
      demand(
        (lastXid.get(order) ?? 0) < entry.cxid,
        () => `${client.name}: #${entry.cxid} stands behind a later request`,
      )
      lastXid.set(order, entry.cxid)
      const number = `${entry.session}#${entry.cxid}`
      const live = tree.sessions.get(entry.session)
      // Of a session that is over or has moved: the next steps' concern.
      const effective = live !== undefined && live.origin === entry.origin
      const calls = origins.callsOf(entry).filter(({ op, reply }) => {
        if (!isWrite(op)) return false
        if (!effective) return true
        if (entry.body.kind === 'again') {
          const before = answers.get(number)
          return before !== undefined && (reply === null || agrees(reply.result, before))
        }
        const expected = writeAnswer(tree, op, entry.session)
        if (!sameBody(entry.body, expected.body)) return false
        answers.set(number, expected.result)
        return reply === null || agrees(reply.result, expected.result)
      })
      demand(calls.length > 0, () => complaint(entry, origins.callsOf(entry), trail))
      origins.narrow(entry, calls)
      const only = calls.length === 1 ? calls[0] : undefined
      if (only !== undefined) realTime.check(only, position, entry)
    },
  }

  function complaint(entry: LogEntry, calls: readonly Call[], { bySession }: Trail): string {
    const name = bySession.get(entry.session)?.name
    const call = calls[0]
    if (call === undefined) return `${name} never asked for #${entry.cxid} ${show(entry.body)}`
    return `${who(call)} ${show(call.op)} became ${show(entry.body)} at ${formatZxid(entry.zxid)}, answered ${show(call.reply?.result ?? null)}`
  }
}

function isInLog({ history, positions }: Trail, call: Call): void {
  const { reply, connection, xid } = call
  if (reply === null) return
  const entry = history.log[(positions.get(reply.zxid) ?? 0) - 1]
  demand(
    entry !== undefined,
    () => `${who(call)} was acknowledged at ${formatZxid(reply.zxid)}, which is not in the log`,
  )
  demand(
    entry.session === connection.client.session && entry.cxid === xid,
    () => `${who(call)} was acknowledged at ${formatZxid(reply.zxid)}, where the log has another request`,
  )
}

/** Which connection of a client each name in the log stands for: known from its acknowledged writes, else any that fits. */
class Origins {
  readonly #trail: Trail
  readonly #candidates = new Map<string, readonly Connection[]>()
  readonly #bound = new Map<Connection, number>()

  constructor(trail: Trail) {
    this.#trail = trail
  }

  bind(acknowledged: readonly Call[]): void {
    const { history, positions } = this.#trail
    for (const call of acknowledged) {
      const entry = history.log[(positions.get(call.reply?.zxid ?? (0 as never)) ?? 0) - 1]
      if (entry === undefined) continue
      const known = this.#bound.get(call.connection)
      const { origin } = entry
      demand(known === undefined || known === origin, () => `${who(call)} is in the log as of another connection`)
      this.#bound.set(call.connection, origin)
      this.#candidates.set(key(entry), [call.connection])
    }
  }

  callsOf(entry: LogEntry): Call[] {
    let connections = this.#candidates.get(key(entry))
    if (connections === undefined) {
      const all = this.#trail.bySession.get(entry.session)?.connections ?? []
      connections = all.filter((one) => !this.#bound.has(one))
      this.#candidates.set(key(entry), connections)
    }
    return connections.flatMap((one) => one.calls.get(entry.cxid) ?? [])
  }

  narrow(entry: LogEntry, calls: readonly Call[]): void {
    this.#candidates.set(
      key(entry),
      calls.map(({ connection }) => connection),
    )
  }
}

const key = ({ session, origin }: LogEntry): string => `${session}/${origin}`

/** A write stands behind all that was acknowledged before it was asked for, and is committed between its question and its answer. */
class RealTime {
  /** By the time of the answer: the answer's time and the farthest position acknowledged until then. */
  readonly #acks: { readonly at: number; readonly farthest: number }[] = []

  constructor({ positions }: Trail, acknowledged: readonly Call[]) {
    let farthest = 0
    for (const { reply } of acknowledged) {
      if (reply === null) continue
      farthest = Math.max(farthest, positions.get(reply.zxid) ?? 0)
      this.#acks.push({ at: reply.at, farthest })
    }
  }

  check(call: Call, position: number, entry: LogEntry): void {
    const { invoked, reply } = call
    const known = farthestBefore(this.#acks, invoked.at)
    demand(
      position > known,
      () => `${who(call)} at ${formatZxid(entry.zxid)} was asked for after a later write had been acknowledged`,
    )
    demand(
      entry.at > invoked.at && (reply === null || entry.at < reply.at),
      () => `${who(call)} was committed outside the time between its question and its answer`,
    )
  }
}

/** Of a list that ascends in both: what had been reached before this time. */
export function farthestBefore(
  acks: readonly { readonly at: number; readonly farthest: number }[],
  at: number,
): number {
  let [low, high] = [0, acks.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((acks[middle]?.at ?? 0) < at) low = middle + 1
    else high = middle
  }
  return acks[low - 1]?.farthest ?? 0
}
