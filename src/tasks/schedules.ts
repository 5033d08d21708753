import { KeeperError } from '../base/errors.ts'
import { dataOrNull } from '../recipes/node-change.ts'
import { childrenOf } from '../recipes/place.ts'
import { hasCode, untilAnswered } from '../recipes/retry.ts'
import { checkWord } from './names.ts'
import { ensureQueue } from './queue-nodes.ts'
import type { QueuePaths } from './queue-paths.ts'
import { encodeSchedule, type MissedTimes, newSchedule, readSchedule, type ScheduleTimes } from './schedule.ts'
import type { TaskRecord } from './task-record.ts'
import type { TaskWorld } from './task-world.ts'

/** The ids of its tasks are longer, by a time. */
const ID_MAX = 100

export interface ScheduleInfo {
  readonly id: string
  readonly task: string
  /** The cron line with its time zone, or milliseconds. */
  readonly times: ScheduleTimes
  /** The next time; null: there is none any more. */
  readonly next: Date | null
}

export async function putSchedule(
  world: TaskWorld,
  queue: QueuePaths,
  id: string,
  times: ScheduleTimes,
  missed: MissedTimes | undefined,
  template: TaskRecord,
): Promise<void> {
  const { client } = world
  const path = queue.schedule(checkWord('id', id))
  if (id.length > ID_MAX) {
    throw new KeeperError('BadArguments', `id must be at most ${ID_MAX} characters`, { path: 'id' })
  }
  const data = encodeSchedule(newSchedule(times, missed, template, world.wallTime()))
  await ensureQueue(client, queue)
  // Either succeeds unless somebody deletes or makes it in between; then the other one does.
  for (;;) {
    try {
      await untilAnswered(client, () => client.create(path, data))
      return
    } catch (error) {
      if (!hasCode(error, 'NodeExists')) throw error
    }
    try {
      await untilAnswered(client, () => client.setData(path, data))
      return
    } catch (error) {
      if (!hasCode(error, 'NoNode')) throw error
    }
  }
}

/** False: there was none. */
export async function dropSchedule({ client }: TaskWorld, queue: QueuePaths, id: string): Promise<boolean> {
  try {
    await untilAnswered(client, () => client.delete(queue.schedule(checkWord('id', id))))
    return true
  } catch (error) {
    if (hasCode(error, 'NoNode')) return false
    throw error
  }
}

export async function schedulesOf({ client }: TaskWorld, queue: QueuePaths): Promise<readonly ScheduleInfo[]> {
  const found: ScheduleInfo[] = []
  for (const id of await childrenOf(client, queue.schedules)) {
    const node = await untilAnswered(client, () => dataOrNull(client, queue.schedule(id)))
    const schedule = readSchedule(node?.data ?? null)
    if (schedule === null) continue
    const { cron, tz, every, next, template } = schedule
    const times = cron === '' ? { every } : { cron, tz }
    found.push({ id, task: template.name, times, next: next === 0 ? null : new Date(next) })
  }
  return found
}
