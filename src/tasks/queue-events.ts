import { dataOrNull } from '../recipes/node-change.ts'
import { aborted, untilAnswered } from '../recipes/retry.ts'
import type { QueuePaths } from './queue-paths.ts'
import { readRecord } from './task-record.ts'
import type { TaskWorld } from './task-world.ts'

/**
 * A change of one task: `waiting` when it was added or waits for another attempt, `progress` while it runs, its end, `collected`.
 * Changes that follow one another closely may come as one. `resync`: some may have been missed.
 */
export type QueueEvent =
  | {
      readonly kind: 'waiting' | 'progress' | 'done' | 'failed' | 'cancelled'
      readonly id: string
      readonly name: string
      readonly attempt: number
      readonly progress: unknown
    }
  | { readonly kind: 'collected'; readonly id: string }
  | { readonly kind: 'resync' }

export async function* queueEvents(
  world: TaskWorld,
  queue: QueuePaths,
  signal?: AbortSignal,
): AsyncGenerator<QueueEvent, void, undefined> {
  const { client } = world
  const attempts = new Map<string, number>()
  const notices = await untilAnswered(client, () =>
    client.watch(queue.tasks, { recursive: true, ...(signal === undefined ? {} : { signal }) }),
  )
  for await (const { type, path } of notices) {
    if (type === 'lost') continue
    if (type === 'resync') {
      yield { kind: 'resync' }
      continue
    }
    const place = queue.parse(path)
    if (place.kind !== 'record') continue
    const { id } = place
    const node = await untilAnswered(client, () => dataOrNull(client, path))
    const record = readRecord(node?.data ?? null)
    if (record === null) {
      attempts.delete(id)
      yield { kind: 'collected', id }
      continue
    }
    const { name, state, attempt, progress } = record
    const known = attempts.get(id)
    if (state === 'wait') attempts.set(id, attempt)
    else attempts.delete(id)
    const goesOn = type === 'NodeDataChanged' && (known === undefined || known === attempt)
    yield { kind: state === 'wait' ? (goesOn ? 'progress' : 'waiting') : state, id, name, attempt, progress }
  }
  if (signal?.aborted) throw aborted(signal)
}
