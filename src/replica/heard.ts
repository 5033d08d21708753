import type { SessionId } from '../base/ids.ts'
import type { ConnectionId, ConnectionInfo } from '../server/orders.ts'
import type { Fact } from '../zab/facts.ts'

/** What waits to be heard: facts for the core, and what clients said. */
export type Heard =
  | Fact
  | { readonly kind: 'frame'; readonly connection: ConnectionId; readonly bytes: Uint8Array }
  | { readonly kind: 'connected'; readonly connection: ConnectionId; readonly info: ConnectionInfo }
  | { readonly kind: 'disconnected'; readonly connection: ConnectionId }
  | { readonly kind: 'sessionGone'; readonly session: SessionId }
