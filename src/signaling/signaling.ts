import type { ReplicaId } from '../base/ids.ts'
import type { Envelope, Goodbye, Signal } from './signal.ts'

/**
 * How the pages of an ensemble find each other before they are linked. It may lose, repeat and reorder signals, and strangers
 * may write to it; it introduces, nothing more. No consensus traffic passes here. `E`: what it carries; one that an application
 * makes carries whatever it is given, as plain data.
 */
export interface Signaling<E = Envelope> {
  /**
   * Starts to hear a topic: what is for everybody, and what is for `self`. One's own signals do not come back. Whatever comes is
   * checked by whoever hears it. Resolves when `send` reaches those who are there.
   */
  join(topic: string, onSignal: (signal: E) => void, self: ReplicaId): Promise<void>
  /** To everybody in the topic, or to one replica where the medium can address (whoever else hears it ignores it). Never throws. */
  send(signal: E, to?: ReplicaId): void
  /** Hears and sends nothing afterwards. Idempotent; may be followed by another `join`. */
  leave(): void
  /** Set by whoever joins: called when others may be in reach who were not before, as after a reconnection. */
  onreach?: (() => void) | null
}

/** What a member uses: signals as they are meant, whatever they look like on the way. */
export interface MemberSignaling extends Signaling<Signal> {
  /** This will be said, perhaps in `pagehide`, where there is time for nothing. */
  prepare(signal: Goodbye): Promise<void>
}
