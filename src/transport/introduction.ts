import { isReplicaId, type ReplicaId } from '../base/ids.ts'
import { DecodeError, Reader } from '../jute/reader.ts'
import { Writer } from '../jute/writer.ts'
import { PEER_VERSION } from './codec.ts'

/** What one member asks another to pass on to a third: opaque to both, and to the replicas that carry it. */
export interface Introduction {
  readonly from: ReplicaId
  /** Null: to everybody whom the receiver has a link to. */
  readonly to: ReplicaId | null
  /** Is the receiver to pass it on? It goes no further than that. */
  readonly forward: boolean
  readonly text: string
}

/** Far from the types of Zab's messages, of which it is none. */
const TYPE = 128
export const INTRODUCTION_LENGTH_MAX = 64 * 1024

export const isIntroduction = (message: Uint8Array): boolean => message[0] === PEER_VERSION && message[1] === TYPE

export const encodeIntroduction = ({ from, to, forward, text }: Introduction): Uint8Array<ArrayBuffer> =>
  new Writer(64 + text.length)
    .byte(PEER_VERSION)
    .byte(TYPE)
    .long(from)
    .long(to ?? 0)
    .bool(forward)
    .string(text)
    .pack()

/** Throws DecodeError. */
export function decodeIntroduction(message: Uint8Array): Introduction {
  if (message.length > 3 * INTRODUCTION_LENGTH_MAX) throw new DecodeError(`introduction of ${message.length} bytes`)
  const reader = new Reader(message)
  if (reader.byte() !== PEER_VERSION || reader.byte() !== TYPE) throw new DecodeError('no introduction')
  const from = reader.long()
  if (!isReplicaId(from)) throw new DecodeError(`${from} is no replica id`)
  const to = reader.long()
  if (to !== 0 && !isReplicaId(to)) throw new DecodeError(`${to} is no replica id`)
  const forward = reader.bool()
  const text = reader.text()
  if (text.length > INTRODUCTION_LENGTH_MAX) throw new DecodeError(`introduction of ${text.length}`)
  reader.end()
  return { from, to: to === 0 ? null : (to as ReplicaId), forward, text }
}
