/** What a client of the signaling server says: the y-webrtc protocol, and founding. */
export type SignalWord =
  | { readonly type: 'subscribe' | 'unsubscribe'; readonly topics: readonly string[] }
  /** Goes on to the topic's other subscribers exactly as it came. */
  | { readonly type: 'publish'; readonly topic: string }
  | { readonly type: 'ping' }
  /** May I found this topic's ensemble? `claim` names the asker's attempt. */
  | { readonly type: 'found'; readonly topic: string; readonly claim: string }
  /** This ensemble is durable: `claim` by whom it was granted, or null where a member only says that it exists. */
  | { readonly type: 'founded'; readonly topic: string; readonly ensemble: string; readonly claim: string | null }
  /** Of a later protocol: ignored. */
  | { readonly type: 'other' }

export const TOPIC_LENGTH_MAX = 256
const CLAIM = /^[0-9a-f]{8,64}$/

/** null: no client says that. */
export function parseSignalWord(text: string): SignalWord | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (!isRecord(value)) return null
  const { type, topic, topics, claim = null, ensemble } = value
  switch (type) {
    case 'subscribe':
    case 'unsubscribe':
      return Array.isArray(topics) && topics.every(isTopic) ? { type, topics } : null
    case 'publish':
      return isTopic(topic) ? { type, topic } : null
    case 'ping':
      return { type }
    case 'found':
      return isTopic(topic) && isClaim(claim) ? { type, topic, claim } : null
    case 'founded':
      if (!isTopic(topic) || !isClaim(ensemble)) return null
      return claim === null || isClaim(claim) ? { type, topic, ensemble, claim } : null
    default:
      return typeof type === 'string' ? { type: 'other' } : null
  }
}

type Field = 'type' | 'topic' | 'topics' | 'claim' | 'ensemble'

const isRecord = (value: unknown): value is { readonly [field in Field]?: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isTopic = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= TOPIC_LENGTH_MAX

const isClaim = (value: unknown): value is string => typeof value === 'string' && CLAIM.test(value)
