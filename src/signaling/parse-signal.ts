import { isEnsembleId, isReplicaId } from '../base/ids.ts'
import type { Candidate, Envelope, Negotiation, Signal, Stands } from './signal.ts'

/** A session description of one data channel has 500 characters; with every candidate inside, some thousands. */
const SDP_LENGTH_MAX = 64 * 1024
const CANDIDATE_LENGTH_MAX = 4096
/** A sealed description, in base64. */
export const BOX_LENGTH_MAX = 60_000

/** The envelope that `value` is, or null, as `parseSignal`. */
export function parseEnvelope(value: unknown): Envelope | null {
  if (!isRecord(value)) return null
  const { kind, from, to, box, tag } = value
  if (kind === 'knock') return isReplicaId(from) && isTag(tag) ? { kind, from, tag } : null
  if (kind !== 'sealed') return parseSignal(value)
  if (!isReplicaId(from) || !(to === null || isReplicaId(to)) || !isText(box, BOX_LENGTH_MAX)) return null
  return { kind, from, to, box }
}

/** The signal that `value` is, or null: what a stranger sends is dropped, never thrown. Unknown fields are not kept. */
export function parseSignal(value: unknown): Signal | null {
  if (!isRecord(value)) return null
  const { ensemble, from, incarnation } = value
  if (!isEnsembleId(ensemble) || !isReplicaId(from) || !isCount(incarnation)) return null
  const head = { ensemble, from, incarnation }
  switch (value.kind) {
    case 'announce': {
      const said = parseStanding(value.stands)
      return said === null ? null : { ...head, kind: 'announce', ...said }
    }
    case 'seek':
    case 'bye':
      return { ...head, kind: value.kind }
    case 'sessionOpened':
    case 'sessionEnded':
      return isSession(value.session) ? { ...head, kind: value.kind, session: value.session } : null
    case 'here':
    case 'signal':
    case 'full':
    case 'stepDown': {
      const to = value.to
      if (!isReplicaId(to)) return null
      if (value.kind === 'stepDown' || value.kind === 'full') return { ...head, kind: value.kind, to }
      if (value.kind === 'here') {
        const said = parseStanding(value.stands)
        return said === null
          ? null
          : { ...head, kind: 'here', to, ...said, ...(value.call === true ? { call: true } : {}) }
      }
      const data = parseNegotiation(value.data)
      const attempt = value.attempt
      return data !== null && isCount(attempt) ? { ...head, kind: 'signal', to, attempt, data } : null
    }
    default:
      return null
  }
}

/** Builds before it say nothing of it. */
function parseStanding(stands: unknown): { readonly stands?: Stands } | null {
  if (stands === undefined) return {}
  return stands === 'leads' || stands === 'votes' || stands === 'observes' ? { stands } : null
}

/** The same for the part that WebRTC makes; candidates' browser-specific extras are dropped. */
export function parseNegotiation(value: unknown): Negotiation | null {
  if (!isRecord(value)) return null
  const { type, sdp } = value
  if (type === 'offer' || type === 'answer') return isText(sdp, SDP_LENGTH_MAX) ? { type, sdp } : null
  if (type !== 'candidate') return null
  const candidate = parseCandidate(value.candidate)
  return candidate === null ? null : { type, candidate }
}

function parseCandidate(value: unknown): Candidate | null {
  if (!isRecord(value)) return null
  const { candidate, sdpMid = null, sdpMLineIndex = null } = value
  if (!isText(candidate, CANDIDATE_LENGTH_MAX)) return null
  if (sdpMid !== null && !isText(sdpMid, 64)) return null
  if (sdpMLineIndex !== null && !(isCount(sdpMLineIndex) && sdpMLineIndex < 65_536)) return null
  return { candidate, sdpMid, sdpMLineIndex }
}

type Field =
  | keyof Candidate
  | 'ensemble'
  | 'from'
  | 'incarnation'
  | 'kind'
  | 'to'
  | 'attempt'
  | 'session'
  | 'data'
  | 'type'
  | 'sdp'
  | 'box'
  | 'tag'
  | 'stands'
  | 'call'

const isRecord = (value: unknown): value is { readonly [field in Field]?: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isText = (value: unknown, max: number): value is string => typeof value === 'string' && value.length <= max

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

const isSession = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{16}$/.test(value)

const isTag = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{32}$/.test(value)
