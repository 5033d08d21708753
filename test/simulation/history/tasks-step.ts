import { demand } from './step.ts'
import type { TaskHistory } from './types.ts'

/** Step 7: of every task one effect, under the fence that its completion names; no acknowledged task is lost. Attempts may be many. */
export function checkTasks({ submitted, open, completed, effects }: TaskHistory): void {
  const fences = new Map<string, number>()
  for (const { task, fence } of completed) {
    demand(!fences.has(task), () => `${task} was completed twice`)
    fences.set(task, fence)
  }
  const waiting = new Set(open)
  for (const task of submitted)
    demand(
      fences.has(task) || waiting.has(task),
      () => `${task} was acknowledged, and is neither completed nor waiting`,
    )
  const highest = new Map<string, number>()
  const accepted = new Map<string, number>()
  for (const { task, fence, accepted: took } of effects) {
    const seen = highest.get(task) ?? Number.NEGATIVE_INFINITY
    demand(!took || fence >= seen, () => `${task}: the effect of fence ${fence} was accepted behind that of ${seen}`)
    highest.set(task, Math.max(seen, fence))
    if (!took) continue
    demand(!accepted.has(task), () => `${task} had its effect twice`)
    accepted.set(task, fence)
  }
  for (const [task, fence] of fences)
    demand(
      accepted.get(task) === fence,
      () => `${task} was completed under fence ${fence}, its effect came under ${accepted.get(task)}`,
    )
}
