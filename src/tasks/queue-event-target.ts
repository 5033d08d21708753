import { type QueueEvent, queueEvents } from './queue-events.ts'
import type { QueuePaths } from './queue-paths.ts'
import type { TaskWorld } from './task-world.ts'

type Kind = QueueEvent['kind']
type ChangeOf<K, E = QueueEvent> = E extends { readonly kind: infer Kinds } ? (K extends Kinds ? E : never) : never
/** `detail` is the change; of `end`, the KeeperError that ended it. */
export type QueueEventFor<K extends Kind | 'end'> = CustomEvent<K extends 'end' ? unknown : ChangeOf<K>>
type Listener<K extends Kind | 'end'> =
  | ((event: QueueEventFor<K>) => void)
  | { handleEvent(event: QueueEventFor<K>): void }

/** Fires an event for each change of a task, by its kind, and `end` once when the session is over: nothing comes any more. */
export class QueueEventTarget extends EventTarget {
  override addEventListener<K extends Kind | 'end'>(
    type: K,
    listener: Listener<K> | null,
    options?: AddEventListenerOptions | boolean,
  ): void
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: AddEventListenerOptions | boolean,
  ): void
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: AddEventListenerOptions | boolean,
  ): void {
    super.addEventListener(type, listener, options)
  }
}

/** From this page's next request on, until the signal aborts or the session ends. */
export function queueEventTarget(world: TaskWorld, queue: QueuePaths, signal?: AbortSignal): QueueEventTarget {
  const target = new QueueEventTarget()
  const tell = async (): Promise<void> => {
    for await (const detail of queueEvents(world, queue, signal)) {
      target.dispatchEvent(new CustomEvent(detail.kind, { detail }))
    }
  }
  tell().catch((error: unknown) => {
    if (!signal?.aborted) target.dispatchEvent(new CustomEvent('end', { detail: error }))
  })
  return target
}
