import type { KeeperEvents } from './api.ts'

type EventName = keyof KeeperEvents
export type KeeperEvent<K extends EventName> = CustomEvent<KeeperEvents[K]>
type Listener<K extends EventName> = ((event: KeeperEvent<K>) => void) | { handleEvent(event: KeeperEvent<K>): void }

/** An EventTarget whose events and details the compiler knows. */
export class KeeperEventSource extends EventTarget {
  override addEventListener<K extends EventName>(
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

  override removeEventListener<K extends EventName>(
    type: K,
    listener: Listener<K> | null,
    options?: EventListenerOptions | boolean,
  ): void
  override removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: EventListenerOptions | boolean,
  ): void
  override removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: EventListenerOptions | boolean,
  ): void {
    super.removeEventListener(type, listener, options)
  }
}

export const keeperEvent = <K extends EventName>(type: K, detail: KeeperEvents[K]): KeeperEvent<K> =>
  new CustomEvent(type, { detail })
