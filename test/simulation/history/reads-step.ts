import { formatZxid } from '../../../src/base/zxid.ts'
import { agrees, readAnswer, show } from './reference-answers.ts'
import { demand, type Step } from './step.ts'
import { type Call, type Client, isWrite, type Trail, who } from './trail.ts'
import type { ReadOp } from './types.ts'

/**
 * Step 3: reads are sequentially consistent. Each shows the state that its header names, which somebody had committed by then; a session never
 * goes back, not even at another replica, and sees its own writes; answers come in the order of the questions.
 */
export function readsStep(trail: Trail): Step {
  const { positions, history } = trail
  const byPosition = new Map<number, Call[]>()
  for (const call of trail.calls) {
    if (isWrite(call.op) || call.reply === null) continue
    const position = call.reply.zxid === 0 ? 0 : positions.get(call.reply.zxid)
    if (position === undefined) continue
    const there = byPosition.get(position)
    if (there === undefined) byPosition.set(position, [call])
    else there.push(call)
  }
  return {
    step: 3,
    after(position, tree) {
      for (const call of byPosition.get(position) ?? []) {
        const { op, reply, connection } = call
        if (op.kind === 'removeWatches' || reply === null) continue
        // Whether its log reaches back is the replica's own.
        if (op.kind === 'setWatches' && op.resumes === true) continue
        const expected = readAnswer(tree, op as ReadOp, connection.client.session)
        demand(
          agrees(reply.result, expected),
          () => `${who(call)} said ${show(reply.result)} at ${formatZxid(reply.zxid)}, where it is ${show(expected)}`,
        )
      }
    },
    finish() {
      for (const client of trail.clients) inOrder(client)
    },
  }

  function inOrder({ connections }: Client): void {
    /** What the client says that it has seen when it comes to another replica. */
    let seen = 0
    for (const { arrivals } of connections) {
      let last = seen
      let asked = -1
      for (const arrival of arrivals) {
        if (arrival.kind === 'watch') continue
        const { call } = arrival
        const { reply, invoked } = call
        if (reply === null) continue
        demand(invoked.at > asked, () => `${who(call)} was answered behind a later question`)
        asked = invoked.at
        const position = reply.zxid === 0 ? 0 : positions.get(reply.zxid)
        // Of a write, another step's concern.
        if (position === undefined && isWrite(call.op)) continue
        demand(position !== undefined, () => `${who(call)} shows ${formatZxid(reply.zxid)}, which nobody committed`)
        const committed = history.log[position - 1]?.at ?? -1
        demand(
          isWrite(call.op) || committed < reply.at,
          () => `${who(call)} shows ${formatZxid(reply.zxid)} before anybody had committed it`,
        )
        demand(position >= last, () => `${who(call)} shows ${formatZxid(reply.zxid)}, its session had seen more`)
        last = position
        if (call.op.kind !== 'setWatches') seen = position
      }
    }
  }
}
