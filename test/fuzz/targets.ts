import type { EnsembleId, ReplicaId } from '../../src/base/ids.ts'
import { makeZxid } from '../../src/base/zxid.ts'
import { PacketSplitter, splitPackets } from '../../src/jute/packets.ts'
import {
  decodeConnectRequest,
  decodeConnectResponse,
  decodeEvent,
  decodeReply,
  decodeRequest,
  decodeResponse,
} from '../../src/jute/protocol.ts'
import type { ResponseKind } from '../../src/jute/responses.ts'
import { decodeTxn } from '../../src/jute/txns.ts'
import { decodeTouched } from '../../src/server/leader.ts'
import { decodeMessage } from '../../src/transport/codec.ts'
import { Assembler } from '../../src/transport/framing.ts'
import { decodeGreeting, encodeGreeting, isGreeting } from '../../src/transport/hello.ts'
import { decodeIntroduction, encodeIntroduction } from '../../src/transport/introduction.ts'
import { PROOF_BYTES } from '../../src/transport/link-proof.ts'
import { decodeLeaderRequest } from '../../src/tree/request.ts'
import { State } from '../../src/tree/state.ts'
import type { Entry } from '../../src/zab/entry.ts'
import { decodeEntries, encodeEntries } from '../../src/zab/entry-codec.ts'
import { decodeConfig, decodeFormat, encodeConfig, encodeFormat } from '../../src/zab/membership.ts'
import type { Corpus } from './corpus.ts'

/** A decoder and what it is really given. It gives back what it made of the bytes, or throws DecodeError. */
export interface Target {
  readonly name: string
  readonly samples: readonly Uint8Array[]
  readonly decode: (bytes: Uint8Array) => unknown
}

const RESPONSES = [
  'create',
  'create2',
  'getData',
  'exists',
  'getACL',
  'getChildren',
  'getChildren2',
  'multi',
  'multiRead',
  'getEphemerals',
  'getAllChildrenNumber',
  'whoAmI',
  'addWatch',
] as const satisfies readonly ResponseKind[]

/** Every decoder that hears somebody else. */
export function targetsOf(corpus: Corpus): readonly Target[] {
  const requests = corpus.toServer.flatMap((frame) => splitPackets(frame))
  const replies = corpus.toClient.flatMap((frame) => splitPackets(frame))
  const bodies = replies.map((packet) => decodeReply(packet).body).filter(({ length }) => length > 0)
  const assembler = new Assembler()
  const messages = corpus.betweenPeers.flatMap((frame) => assembler.take(frame).map((message) => message.slice()))
  const said = messages.filter((message) => !isGreeting(message))
  const entries = corpus.txns.map((bytes, at): Entry => ({ zxid: makeZxid(1, at + 1), kind: 'txn', bytes }))
  const ensemble = '0'.repeat(32) as EnsembleId
  const configs = [encodeConfig({ ensemble, voters: [1, 2, 3] as ReplicaId[], old: [1, 2] as ReplicaId[] })]
  const bytes = new Uint8Array(PROOF_BYTES).fill(7)
  const proofs = [encodeGreeting({ kind: 'challenge', nonce: bytes }), encodeGreeting({ kind: 'proof', mac: bytes })]
  const [from, to] = [7, 9] as [ReplicaId, ReplicaId]
  const introductions = [to, null].map((one) =>
    encodeIntroduction({ from, to: one, forward: true, text: '{"kind":"ü"}' }),
  )
  return [
    { name: 'connect request', samples: corpus.connects, decode: decodeConnectRequest },
    { name: 'connect response', samples: corpus.welcomes, decode: decodeConnectResponse },
    { name: 'frame', samples: [...corpus.toServer, ...corpus.toClient], decode: (bytes) => splitPackets(bytes) },
    { name: 'stream', samples: corpus.toServer, decode: (bytes) => new PacketSplitter().push(bytes) },
    { name: 'request', samples: requests, decode: decodeRequest },
    { name: 'reply', samples: replies, decode: decodeReply },
    { name: 'event', samples: bodies, decode: decodeEvent },
    ...RESPONSES.map((kind) => ({
      name: `response to ${kind}`,
      samples: readableAs(kind, bodies),
      decode: (bytes: Uint8Array) => decodeResponse(bytes, kind),
    })),
    { name: 'txn', samples: corpus.txns, decode: decodeTxn },
    { name: 'request to the leader', samples: corpus.leaderRequests, decode: decodeLeaderRequest },
    { name: 'touched sessions', samples: corpus.connects, decode: decodeTouched },
    { name: 'snapshot', samples: corpus.snapshots, decode: (bytes) => State.restored(makeZxid(1, 1), [bytes]).digest },
    { name: 'entries', samples: runsOf(entries), decode: decodeEntries },
    { name: 'configuration', samples: configs, decode: decodeConfig },
    { name: 'format', samples: [encodeFormat(1)], decode: decodeFormat },
    { name: 'greeting', samples: [...messages.filter(isGreeting), ...proofs], decode: decodeGreeting },
    { name: 'introduction', samples: introductions, decode: decodeIntroduction },
    { name: 'peer message', samples: said, decode: decodeMessage },
    { name: 'peer frame', samples: corpus.betweenPeers, decode: (bytes) => new Assembler().take(bytes) },
  ]
}

/** What is such a response, or could be; all, if none is. */
function readableAs(kind: ResponseKind, bodies: readonly Uint8Array[]): readonly Uint8Array[] {
  const readable = bodies.filter((body) => {
    try {
      decodeResponse(body, kind)
      return true
    } catch {
      return false
    }
  })
  return readable.length > 0 ? readable : bodies
}

function runsOf(entries: readonly Entry[]): Uint8Array[] {
  const runs: Uint8Array[] = []
  for (let at = 0; at + 5 <= entries.length; at += 5) runs.push(encodeEntries(entries.slice(at, at + 5)))
  return runs
}
