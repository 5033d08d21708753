import { ERROR_CODES } from '../../../src/base/errors.ts'
import type { SessionId } from '../../../src/base/ids.ts'
import { formatZxid } from '../../../src/base/zxid.ts'
import { demand, type Step } from './step.ts'
import { isWrite, type Trail, who } from './trail.ts'
import type { LogEntry } from './types.ts'

/** How long a session that nobody keeps alive may last beyond twice its timeout, once nothing fails: a failover, milliseconds. */
const GRACE = 10_000

/**
 * Step 6: a session is over once, with all its ephemerals in the same txn, and nothing of it has an effect behind that; what comes over a
 * connection that it has left is refused. Nobody is told of an end that did not happen, or goes on behind one that did. No session ends that a leader has heard of within its timeout; every silent one does.
 */
export function sessionsStep(trail: Trail): Step {
  const { history, positions, bySession } = trail
  const closed = new Map<SessionId, { readonly position: number; readonly entry: LogEntry }>()
  return {
    step: 6,
    before(position, entry, tree) {
      const { session, body, cxid } = entry
      const name = bySession.get(session)?.name ?? `session ${session}`
      const live = tree.sessions.get(session)
      if (body.kind === 'closeSession') {
        const left = tree.ephemeralsOf(session).filter((path) => !body.paths.includes(path))
        demand(left.length === 0, () => `${name} ends at ${formatZxid(entry.zxid)} and leaves ${left[0]}`)
        const foreign = body.paths.find((path) => !tree.ephemeralsOf(session).includes(path))
        demand(foreign === undefined, () => `${name} takes ${foreign} along, which is not its own`)
        closed.set(session, { position, entry })
        if (cxid === 0) heardOf(entry)
      }
      if (cxid === 0 && body.kind !== 'moveSession') return
      const effect = body.kind !== 'error'
      demand(live !== undefined || !effect, () => `${name} acts at ${formatZxid(entry.zxid)}, behind its end`)
      demand(
        live === undefined || cxid === 0 || live.origin === entry.origin || !effect,
        () => `${name} acts at ${formatZxid(entry.zxid)} over a connection that it has left`,
      )
      const code = live === undefined ? ERROR_CODES.SessionExpired : ERROR_CODES.SessionMoved
      const stale = live === undefined || live.origin !== entry.origin
      demand(
        cxid === 0 || !stale || body.kind !== 'error' || body.code === code,
        () =>
          `${name} was refused at ${formatZxid(entry.zxid)} with ${body.kind === 'error' ? body.code : ''}, not ${code}`,
      )
    },
    finish() {
      for (const call of trail.calls) answeredWithin(call)
      for (const client of trail.clients) {
        if (client.expired === null) continue
        const end = closed.get(client.session)
        demand(
          end !== undefined && end.entry.at < client.expired.at,
          () => `${client.name} was told that its session is over, and it was not`,
        )
        const later = client.connections
          .flatMap(({ arrivals }) => arrivals)
          .find((arrival) => {
            const at = arrival.kind === 'watch' ? arrival.at : (arrival.call.reply?.at ?? 0)
            return at > (client.expired?.at ?? 0)
          })
        demand(later === undefined, () => `${client.name} went on after it had been told that its session is over`)
      }
      silentOnesEnd()
    },
  }

  function answeredWithin(call: (typeof trail.calls)[number]): void {
    const { reply, connection, op } = call
    const end = closed.get(connection.client.session)
    if (reply === null || end === undefined || op.kind === 'close') return
    const refused = isWrite(op) && (reply.result.error ?? 0) !== 0
    const position = positions.get(reply.zxid) ?? 0
    demand(refused || position < end.position, () => `${who(call)} was answered behind the end of its session`)
  }

  /** An acknowledged write was prepared by a leader: it had heard of the session then. */
  function heardOf(end: LogEntry): void {
    const client = bySession.get(end.session)
    if (client === undefined) return
    for (const { calls } of client.connections) {
      for (const call of calls.values()) {
        const { op, reply, invoked } = call
        if (!isWrite(op) || reply === null || reply.zxid >= end.zxid) continue
        const { error } = reply.result
        if (error === ERROR_CODES.SessionExpired || error === ERROR_CODES.SessionMoved) continue
        demand(
          end.ms >= invoked.ms + client.timeout,
          () =>
            `${client.name} ended at ${end.ms} ms, ${who(call)} was asked for at ${invoked.ms} ms, its timeout is ${client.timeout} ms`,
        )
      }
    }
  }

  function silentOnesEnd(): void {
    const { settledSince, endedMs } = history
    if (settledSince === null) return
    for (const { session, name, timeout, lastSaid } of trail.clients) {
      if (timeout === 0 || closed.has(session)) continue
      const silent = endedMs - Math.max(lastSaid, settledSince)
      demand(
        silent <= 2 * timeout + GRACE,
        () => `${name} has been silent for ${silent} ms, and its session is not over`,
      )
    }
  }
}
