import { PacketBatch } from '../jute/packets.ts'
import type { ConnectionId, ServerOrder } from './orders.ts'

/** Gathers the orders of one call: all packets to one connection leave as one frame. */
export class Outbox {
  #orders: ServerOrder[] = []
  readonly #batches = new Map<ConnectionId, PacketBatch>()

  packet(connection: ConnectionId, packet: Uint8Array): void {
    const batch = this.#batches.get(connection)
    if (batch === undefined) this.#batches.set(connection, new PacketBatch().add(packet))
    else batch.add(packet)
  }

  order(order: ServerOrder): void {
    this.#orders.push(order)
  }

  /** What was said to it before still goes out. */
  close(connection: ConnectionId, reason: string): void {
    const batch = this.#batches.get(connection)
    this.#batches.delete(connection)
    if (batch !== undefined) this.#orders.push({ kind: 'reply', connection, frame: batch.take() })
    this.#orders.push({ kind: 'closeConnection', connection, reason })
  }

  /** Nobody listens any more. */
  forget(connection: ConnectionId): void {
    this.#batches.delete(connection)
  }

  take(): ServerOrder[] {
    if (this.#batches.size > 0) {
      for (const [connection, batch] of this.#batches) {
        this.#orders.push({ kind: 'reply', connection, frame: batch.take() })
      }
      this.#batches.clear()
    }
    const orders = this.#orders
    this.#orders = []
    return orders
  }
}
