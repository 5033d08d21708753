import type { ReplicaId } from '../base/ids.ts'
import type { Signal } from './signal.ts'

/**
 * How the pages of an ensemble find each other before they are linked. It may lose, repeat and reorder signals, and strangers
 * may write to it; it introduces, nothing more. No consensus traffic passes here.
 */
export interface Signaling {
  /** Starts to hear a topic. What arrives has been validated; one's own signals do not come back. Resolves when `send` reaches those who are there. */
  join(topic: string, onSignal: (signal: Signal) => void): Promise<void>
  /** To everybody in the topic, or to one replica where the medium can address (whoever else hears it ignores it). Never throws. */
  send(signal: Signal, to?: ReplicaId): void
  /** Hears and sends nothing afterwards. Idempotent; may be followed by another `join`. */
  leave(): void
}
