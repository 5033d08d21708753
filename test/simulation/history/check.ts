import { checkLog } from './log-step.ts'
import { readsStep } from './reads-step.ts'
import { replay } from './replay-step.ts'
import { sessionsStep } from './sessions-step.ts'
import { statesStep } from './states-step.ts'
import { Refused } from './step.ts'
import { syncsStep } from './syncs-step.ts'
import { checkTasks } from './tasks-step.ts'
import { follow } from './trail.ts'
import type { History, Rejection } from './types.ts'
import { watchesStep } from './watches-step.ts'
import { writesStep } from './writes-step.ts'

/**
 * Does what clients saw agree with what was committed, in the way that ZooKeeper promises? Updates are linearizable, reads are sequentially
 * consistent; every answer names the state that it shows, and that witness makes this O(n log n). Without a sound log (steps 0 and 1) the others
 * have nothing to go by; beyond that each step judges by itself.
 */
export function judge(history: History): readonly Rejection[] {
  const rejections: Rejection[] = []
  const refuse = (step: number, why: string): void => void rejections.push({ step, why })
  const guarded = (step: number, check: () => void): boolean => {
    try {
      check()
      return true
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      refuse(step, error.message)
      return false
    }
  }
  if (!guarded(0, () => checkLog(history))) return rejections
  const trail = follow(history)
  const steps = [
    statesStep(trail),
    writesStep(trail),
    readsStep(trail),
    syncsStep(trail),
    watchesStep(trail),
    sessionsStep(trail),
  ]
  const sound = guarded(1, () => replay(history, steps, ({ step }, why) => refuse(step, why)))
  if (!sound) return rejections.filter(({ step }) => step === 1)
  const { tasks } = history
  if (tasks !== undefined) guarded(7, () => checkTasks(tasks))
  return rejections.sort((a, b) => a.step - b.step)
}
