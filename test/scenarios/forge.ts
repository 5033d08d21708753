import type { ReplicaId } from '../../src/base/ids.ts'
import type { Zxid } from '../../src/base/zxid.ts'
import { encodeMessage } from '../../src/transport/codec.ts'
import type { Entry } from '../../src/zab/entry.ts'
import type { Message } from '../../src/zab/messages.ts'
import type { Peer } from '../../src/zab/peer.ts'

/** How the words of a scenario become what a message says. */
export interface Reader {
  readonly zxid: (word: string) => Zxid
  readonly log: (words: string) => Entry[]
}

const ZXIDS = ['zxid', 'last', 'committed', 'from', 'lastZxid']
const WORDS = ['digest', 'mode', 'state', 'reason']

/** A message of right form that nobody in this state would send, in bytes. What is not said is right: the nonce is that of the attempt. */
export function forged(kind: string, said: ReadonlyMap<string, string>, nonce: number, reader: Reader): Uint8Array {
  const fields: Record<string, unknown> = { ...DEFAULTS[kind], kind, nonce }
  for (const [name, word] of said) fields[name] = meaning(name, word, kind, reader)
  return encodeMessage(fields as unknown as Message)
}

function meaning(name: string, word: string, kind: string, { zxid, log }: Reader): unknown {
  if (name === 'entries') return word === 'none' ? [] : log(word)
  if (name === 'config') return log(word)[0]
  if (name === 'epochEnds') return word.split(',').map(zxid)
  if (word === 'true' || word === 'false') return word === 'true'
  if (ZXIDS.includes(name) && !(kind === 'snapshotChunk' && name === 'last')) return zxid(word)
  return WORDS.includes(name) ? word : Number(word)
}

const none = new Uint8Array(0)
const DEFAULTS: Readonly<Record<string, object>> = {
  notification: { state: 'looking', established: false, accepted: 0, room: false },
  followerInfo: { acceptedEpoch: 0, snapshotWanted: false, demoted: false, insists: false },
  leaderInfo: { leader: 1 },
  sync: { mode: 'diff', voting: true, config: null },
  snapshotChunk: { last: true, bytes: none },
  ping: { wanted: false },
  pong: { touched: none },
  request: { requests: [] },
  syncRequest: { tag: 1 },
  syncReply: { tag: 1 },
}

/** The attempt in which `peer` hears `from`. */
export function nonceBetween(peer: Peer | null, from: ReplicaId): number {
  const role = peer?.role
  if (role?.kind === 'following') return role.relay.learners.get(from)?.nonce ?? role.nonce
  return role?.kind === 'leading' ? (role.learners.get(from)?.nonce ?? 1) : 1
}
