import { isReplicaId, type ReplicaId } from '../base/ids.ts'
import { LIMITS } from '../base/limits.ts'
import { EPOCH_MAX, type Zxid } from '../base/zxid.ts'
import { DecodeError, Reader } from '../jute/reader.ts'
import { Writer } from '../jute/writer.ts'
import {
  entriesLength,
  readEntries,
  readOptionalEntry,
  readZxid,
  writeEntries,
  writeOptionalEntry,
} from '../zab/entry-codec.ts'
import type { Message } from '../zab/messages.ts'

/** The first byte of every message: the first peer-protocol version that says it so. */
export const PEER_VERSION = 1
/** The highest one that this build speaks. Version 2 says more at the end of some messages, and only to those who speak it, too. */
export const PEER_VERSION_MAX = 2

/** A reason is for people; what is longer is cut. */
export const REASON_LENGTH_MAX = 1000

const DIGEST_LENGTH_MAX = 64

type Kind = Message['kind']
type MessageOf<K extends Kind> = Extract<Message, { kind: K }>

interface Word<M> {
  /** The second byte of the message. Never reused. */
  readonly type: number
  write(writer: Writer, message: M): void
  read(reader: Reader): M
  /** What version 2 says behind that. */
  readonly more?: {
    has(message: M): boolean
    write(writer: Writer, message: M): void
    read(reader: Reader, message: M): M
  }
}

const STATES = ['looking', 'following', 'leading', 'observing'] as const
const MODES = ['diff', 'trunc', 'snap'] as const

function oneOf<T>(values: readonly T[], index: number, what: string): T {
  const value = values[index]
  if (value === undefined) throw new DecodeError(`${what} ${index}`)
  return value
}

function replica(reader: Reader): ReplicaId {
  const value = reader.long()
  if (!isReplicaId(value)) throw new DecodeError(`${value} is no replica id`)
  return value
}

function epoch(reader: Reader, min = 0): number {
  const value = reader.int()
  if (value < min || value > EPOCH_MAX) throw new DecodeError(`epoch ${value}`)
  return value
}

function epochEnds(reader: Reader): Zxid[] {
  const ends = reader.vector(readZxid, 8)
  for (let i = 1; i < ends.length; i++) {
    if ((ends[i] as Zxid) < (ends[i - 1] as Zxid)) throw new DecodeError('ends of epochs descend')
  }
  return ends
}

function digest(reader: Reader): string {
  const text = reader.text()
  if (text.length > DIGEST_LENGTH_MAX) throw new DecodeError(`digest of ${text.length}`)
  return text
}

function reason(reader: Reader): string {
  const text = reader.text()
  if (text.length > REASON_LENGTH_MAX) throw new DecodeError(`reason of ${text.length}`)
  return text
}

const WORDS: { readonly [K in Kind]: Word<MessageOf<K>> } = {
  notification: {
    type: 1,
    write: (w, m) =>
      w
        .byte(STATES.indexOf(m.state))
        .long(m.round)
        .long(m.leader)
        .int(m.epoch)
        .long(m.zxid)
        .bool(m.established)
        .int(m.accepted)
        .bool(m.room),
    read: (r) => ({
      kind: 'notification',
      state: oneOf(STATES, r.byte(), 'state'),
      round: r.long(),
      leader: replica(r),
      epoch: epoch(r),
      zxid: readZxid(r),
      established: r.bool(),
      accepted: epoch(r),
      room: r.bool(),
    }),
  },
  followerInfo: {
    type: 2,
    write: (w, m) => w.long(m.nonce).int(m.acceptedEpoch).bool(m.snapshotWanted).bool(m.demoted).bool(m.insists),
    read: (r) => ({
      kind: 'followerInfo',
      nonce: r.long(),
      acceptedEpoch: epoch(r),
      snapshotWanted: r.bool(),
      demoted: r.bool(),
      insists: r.bool(),
    }),
  },
  leaderInfo: {
    type: 3,
    write: (w, m) => w.long(m.nonce).int(m.epoch).long(m.leader),
    read: (r) => ({ kind: 'leaderInfo', nonce: r.long(), epoch: epoch(r), leader: replica(r) }),
  },
  ackEpoch: {
    type: 4,
    write: (w, m) =>
      w
        .long(m.nonce)
        .int(m.currentEpoch)
        .long(m.lastZxid)
        .vector(m.epochEnds, (x, zxid) => x.long(zxid)),
    read: (r) => ({
      kind: 'ackEpoch',
      nonce: r.long(),
      currentEpoch: epoch(r, -1),
      lastZxid: readZxid(r),
      epochEnds: epochEnds(r),
    }),
  },
  sync: {
    type: 5,
    write: (w, m) =>
      writeOptionalEntry(w.long(m.nonce).byte(MODES.indexOf(m.mode)).long(m.from).bool(m.voting), m.config),
    read: (r) => ({
      kind: 'sync',
      nonce: r.long(),
      mode: oneOf(MODES, r.byte(), 'sync mode'),
      from: readZxid(r),
      voting: r.bool(),
      config: readOptionalEntry(r),
    }),
  },
  snapshotChunk: {
    type: 6,
    write: (w, m) => w.long(m.nonce).bool(m.last).buffer(m.bytes),
    read: (r) => ({ kind: 'snapshotChunk', nonce: r.long(), last: r.bool(), bytes: r.bytes() }),
  },
  newLeader: {
    type: 7,
    write: (w, m) => w.long(m.nonce).int(m.epoch).long(m.last),
    read: (r) => ({ kind: 'newLeader', nonce: r.long(), epoch: epoch(r), last: readZxid(r) }),
  },
  ackNewLeader: {
    type: 8,
    write: (w, m) => w.long(m.nonce).int(m.epoch).long(m.zxid),
    read: (r) => ({ kind: 'ackNewLeader', nonce: r.long(), epoch: epoch(r), zxid: readZxid(r) }),
  },
  upToDate: {
    type: 9,
    write: (w, m) => w.long(m.nonce).long(m.committed),
    read: (r) => ({ kind: 'upToDate', nonce: r.long(), committed: readZxid(r) }),
  },
  candidate: {
    type: 10,
    write: (w, m) => w.long(m.nonce),
    read: (r) => ({ kind: 'candidate', nonce: r.long() }),
  },
  proposal: {
    type: 11,
    write: (w, m) => writeEntries(w.long(m.nonce), m.entries),
    read: (r) => ({ kind: 'proposal', nonce: r.long(), entries: readEntries(r) }),
  },
  ack: {
    type: 12,
    write: (w, m) => w.long(m.nonce).long(m.zxid),
    read: (r) => ({ kind: 'ack', nonce: r.long(), zxid: readZxid(r) }),
  },
  commit: {
    type: 13,
    write: (w, m) => w.long(m.nonce).long(m.zxid),
    read: (r) => ({ kind: 'commit', nonce: r.long(), zxid: readZxid(r) }),
  },
  inform: {
    type: 14,
    write: (w, m) => writeEntries(w.long(m.nonce), m.entries),
    read: (r) => ({ kind: 'inform', nonce: r.long(), entries: readEntries(r) }),
  },
  ping: {
    type: 15,
    write: (w, m) => w.long(m.nonce).long(m.token).long(m.committed).bool(m.wanted),
    read: (r) => ({ kind: 'ping', nonce: r.long(), token: r.long(), committed: readZxid(r), wanted: r.bool() }),
    more: {
      has: (m) => m.named !== undefined,
      write: (w, m) => w.vector(m.named ?? [], (x, id) => x.long(id)),
      read: (r, m) => ({ ...m, named: r.vector(replica, 8) }),
    },
  },
  pong: {
    type: 16,
    write: (w, m) => w.long(m.nonce).long(m.token).buffer(m.touched),
    read: (r) => ({ kind: 'pong', nonce: r.long(), token: r.long(), touched: r.bytes() }),
    more: {
      has: (m) => m.hidden !== undefined,
      write: (w, m) => w.bool(m.hidden === true),
      read: (r, m) => ({ ...m, hidden: r.bool() }),
    },
  },
  request: {
    type: 17,
    write: (w, m) => w.long(m.nonce).vector(m.requests, (x, request) => x.buffer(request)),
    read: (r) => ({ kind: 'request', nonce: r.long(), requests: r.vector((x) => x.bytes(), 4) }),
  },
  syncRequest: {
    type: 18,
    write: (w, m) => w.long(m.nonce).long(m.tag),
    read: (r) => ({ kind: 'syncRequest', nonce: r.long(), tag: r.long() }),
  },
  syncReply: {
    type: 19,
    write: (w, m) => w.long(m.nonce).long(m.tag).long(m.zxid),
    read: (r) => ({ kind: 'syncReply', nonce: r.long(), tag: r.long(), zxid: readZxid(r) }),
  },
  handOver: {
    type: 20,
    write: (w, m) => w.long(m.nonce),
    read: (r) => ({ kind: 'handOver', nonce: r.long() }),
    more: {
      has: (m) => m.to !== undefined,
      write: (w, m) => w.long(m.to ?? 0),
      read: (r, m) => ({ ...m, to: replica(r) }),
    },
  },
  refuse: {
    type: 21,
    write: (w, m) => w.long(m.nonce).string(m.reason.slice(0, REASON_LENGTH_MAX)),
    read: (r) => ({ kind: 'refuse', nonce: r.long(), reason: reason(r) }),
  },
  regressed: {
    type: 22,
    write: (w, m) => w.int(m.acceptedEpoch).int(m.currentEpoch).long(m.zxid),
    read: (r) => ({ kind: 'regressed', acceptedEpoch: epoch(r), currentEpoch: epoch(r), zxid: readZxid(r) }),
  },
  readmit: {
    type: 23,
    write: (w, m) => w.long(m.nonce),
    read: (r) => ({ kind: 'readmit', nonce: r.long() }),
  },
  digest: {
    type: 26,
    write: (w, m) => w.long(m.nonce).long(m.zxid).string(m.digest),
    read: (r) => ({ kind: 'digest', nonce: r.long(), zxid: readZxid(r), digest: digest(r) }),
  },
  diverged: {
    type: 27,
    write: (w, m) => w.long(m.nonce).long(m.zxid).string(m.digest),
    read: (r) => ({ kind: 'diverged', nonce: r.long(), zxid: readZxid(r), digest: digest(r) }),
  },
  quarantine: {
    type: 28,
    write: (w, m) => w.long(m.nonce),
    read: (r) => ({ kind: 'quarantine', nonce: r.long() }),
  },
  readmitted: {
    type: 24,
    write: (w, m) => w.long(m.nonce),
    read: (r) => ({ kind: 'readmitted', nonce: r.long() }),
  },
  redirect: {
    type: 25,
    write: (w, m) =>
      w
        .long(m.nonce)
        .long(m.leader)
        .vector(m.to, (x, id) => x.long(id)),
    read: (r) => ({ kind: 'redirect', nonce: r.long(), leader: replica(r), to: r.vector(replica, 8) }),
  },
}

const BY_TYPE: ReadonlyMap<number, Word<Message>> = new Map(
  Object.values(WORDS).map((word) => [word.type, word as Word<Message>]),
)

/** So that one allocation does for the large ones. */
function capacityFor(message: Message): number {
  switch (message.kind) {
    case 'proposal':
    case 'inform':
      return 16 + entriesLength(message.entries)
    case 'snapshotChunk':
      return 32 + message.bytes.length
    case 'request':
      return message.requests.reduce((sum, request) => sum + 4 + request.length, 16)
    default:
      return 64
  }
}

/** One message: version byte, type byte, jute fields. */
export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  const word = WORDS[message.kind] as Word<Message>
  const more = word.more?.has(message) === true ? word.more : null
  const writer = new Writer(capacityFor(message)).byte(more === null ? PEER_VERSION : PEER_VERSION_MAX).byte(word.type)
  word.write(writer, message)
  more?.write(writer, message)
  return message.kind === 'proposal' || message.kind === 'inform' ? writer.finish() : writer.pack()
}

const isVersion = (byte: number | undefined): boolean => byte === PEER_VERSION || byte === PEER_VERSION_MAX

/** Is this encoded message a ping or a pong? */
export const isHeartbeat = (message: Uint8Array): boolean =>
  isVersion(message[0]) && (message[1] === WORDS.ping.type || message[1] === WORDS.pong.type)

/** The bytes within are views into `bytes`. Throws DecodeError for whatever is not exactly one valid message. */
export function decodeMessage(bytes: Uint8Array): Message {
  if (bytes.length > LIMITS.messageBytesMax) throw new DecodeError(`message of ${bytes.length} bytes`)
  const reader = new Reader(bytes)
  const version = reader.byte()
  if (!isVersion(version)) throw new DecodeError(`message version ${version}`)
  const type = reader.byte()
  const word = BY_TYPE.get(type)
  if (word === undefined) throw new DecodeError(`message type ${type}`)
  const first = word.read(reader)
  if (version !== PEER_VERSION && word.more === undefined)
    throw new DecodeError(`message type ${type} of version ${version}`)
  const message = version === PEER_VERSION || word.more === undefined ? first : word.more.read(reader, first)
  reader.end()
  return message
}
