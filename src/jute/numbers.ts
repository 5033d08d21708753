import type { Request } from './protocol.ts'

/** Request numbers run from 1 to this and begin again at 1. */
const NUMBER_MAX = 0x7fffffff
/** What a remembered reply weighs, and each outcome in it: about its bytes in memory. */
const REPLY_BYTES = 128
const OUTCOME_BYTES = 128
/** Of a sequential node's name, the digits. */
const SEQUENCE_LENGTH = 10

export const nextNumber = (number: number): number => (number === NUMBER_MAX ? 1 : number + 1)

/** In a ring of 2^31 numbers: whichever way round is shorter. */
export const isAfter = (number: number, other: number): boolean => (number - other) << 1 > 0

/** `pathLengths`: of the paths in the outcomes, together. */
export const replyWeight = (outcomes: number, pathLengths: number): number =>
  REPLY_BYTES + OUTCOME_BYTES * outcomes + pathLengths

/** At least what its reply will weigh, whatever comes of it. */
export function requestWeight(request: Request): number {
  if (request.kind !== 'multi') return replyWeight(1, 'path' in request ? request.path.length + SEQUENCE_LENGTH : 0)
  let lengths = 0
  for (const { path } of request.ops) lengths += path.length + SEQUENCE_LENGTH
  return replyWeight(request.ops.length, lengths)
}
