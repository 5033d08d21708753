import { formatZxid } from '../../../src/base/zxid.ts'
import { demand, type Step } from './step.ts'
import { type Trail, who } from './trail.ts'
import { farthestBefore } from './writes-step.ts'

/** Step 4: a sync shows all that anybody had been told before it was asked for; and so does every read behind it (step 3). */
export function syncsStep({ calls, positions }: Trail): Step {
  return {
    step: 4,
    finish() {
      const told = calls.flatMap(({ reply }) => (reply === null ? [] : [reply])).sort((a, b) => a.at - b.at)
      let farthest = 0
      const acks = told.map(({ at, zxid }) => {
        farthest = Math.max(farthest, positions.get(zxid) ?? 0)
        return { at, farthest }
      })
      for (const call of calls) {
        if (call.op.kind !== 'sync' || call.reply === null) continue
        const { zxid } = call.reply
        const position = positions.get(zxid) ?? 0
        demand(
          position >= farthestBefore(acks, call.invoked.at),
          () => `${who(call)} shows ${formatZxid(zxid)}, and somebody had been told of more before it was asked`,
        )
      }
    },
  }
}
