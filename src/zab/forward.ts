import type { Order } from './facts.ts'
import type { Following } from './peer.ts'

/** A learner's requests that gathered leave for whom it follows, in order. */
export function forwardRequests(role: Following, orders: Order[]): void {
  if (role.requests.length === 0) return
  const requests = role.requests.splice(0)
  const { leader: to, link, nonce } = role
  orders.push({ kind: 'send', to, link, message: { kind: 'request', nonce, requests } })
}
