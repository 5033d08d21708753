import { KeeperError } from '../base/errors.ts'

const NEEDED = {
  client: ['BroadcastChannel', 'RTCPeerConnection'],
  member: ['Worker', 'BroadcastChannel', 'MessageChannel', 'RTCPeerConnection', 'indexedDB'],
} as const

/** Throws `Unsupported`, naming all that this page lacks and what can be done. */
export function checkPlatform(role: keyof typeof NEEDED): void {
  if (globalThis.isSecureContext === false)
    throw new KeeperError(
      'Unsupported',
      'Tabkeeper needs a secure context: serve the page over https, or from localhost while you develop.',
    )
  // A name may be there and empty, where a policy took it away.
  const missing: string[] = NEEDED[role].filter((name) => Reflect.get(globalThis, name) === undefined)
  if (role === 'member' && globalThis.navigator?.locks === undefined) missing.push('Web Locks (navigator.locks)')
  if (!('any' in AbortSignal)) missing.push('AbortSignal.any')
  if (missing.length === 0) return
  throw new KeeperError(
    'Unsupported',
    `Tabkeeper runs in a page of a browser that has ${missing.join(', ')}: Chrome or Edge 116, Firefox 124 or Safari 17.4, or later.`,
  )
}

/** What a page needs that is only a client. */
export function checkClientPlatform(): void {
  if (!('WebSocket' in globalThis)) throw new KeeperError('Unsupported', 'Tabkeeper needs WebSocket here.')
}
