import type { SessionId } from '../base/ids.ts'
import type { Clock } from './clock.ts'
import type { AskOffline } from './offline-reads.ts'

export interface ClientOptions {
  readonly clock: Clock
  /** 0 ≤ x < 1; only for pauses between attempts to connect. */
  readonly random: () => number
  /** Asked for, milliseconds; the ensemble may grant less or more. */
  readonly sessionTimeout?: number
  /** All paths are below this one. It need not exist. */
  readonly chroot?: string
  /**
   * The host at the pipe's other end keeps the session alive while this thread sleeps: no pings from here, and silence is no
   * loss. Who made the pipe closes it when that host dies.
   */
  readonly touchedByHost?: boolean
  /** Ask for nothing beyond ZooKeeper's protocol: as its own clients do. */
  readonly plain?: boolean
  /** As `addAuth`, before anything else. */
  readonly auth?: readonly { readonly scheme: string; readonly auth: Uint8Array | string }[]
  /** Takes over this session from a client that is gone; without its watches and credentials. */
  readonly session?: { readonly id: SessionId; readonly password: Uint8Array }
  /** Answers plain reads while the session is suspended; by default they wait. */
  readonly askOffline?: AskOffline
  /** What a listener or watch threw; by default it becomes an uncaught error, as with DOM events. */
  readonly onError?: (error: unknown) => void
}
