import type { SessionId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import { DecodeError, type Reader } from '../jute/reader.ts'
import { statCodec } from '../jute/records.ts'
import type { Writer } from '../jute/writer.ts'
import type { Outcome, RepliesFields } from './replies.ts'
import type { State } from './state.ts'

const KINDS = ['create', 'stat', 'done', 'error'] as const satisfies readonly Outcome['kind'][]

/** A session's replies in a snapshot, behind the session itself. */
export function writeReplies(writer: Writer, session: SessionId, fields: RepliesFields): void {
  writer.bigLong(session).long(fields.line).long(fields.since).int(fields.forgotten)
  writer.vector(fields.replies, (to, { number, error, outcomes }) => {
    to.int(number).int(error).vector(outcomes, writeOutcome)
  })
}

function writeOutcome(writer: Writer, outcome: Outcome): void {
  writer.byte(KINDS.indexOf(outcome.kind))
  if (outcome.kind === 'create') writer.string(outcome.path)
  if (outcome.kind === 'create' || outcome.kind === 'stat') statCodec.write(writer, outcome.stat)
  if (outcome.kind === 'error') writer.int(outcome.code)
}

/** Throws DecodeError. */
export function readReplies(state: State, reader: Reader): void {
  const session = state.sessions.get(reader.bigLong() as SessionId)
  const fields: RepliesFields = {
    line: reader.long(),
    since: reader.long() as Zxid,
    forgotten: reader.int(),
    replies: reader.vector(
      (from) => ({ number: from.int(), error: from.int(), outcomes: from.vector(readOutcome) }),
      12,
    ),
  }
  if (session === undefined || session.line !== 0 || fields.line === 0) throw new DecodeError('replies to nobody')
  state.sessions.restoreReplies(session, fields)
}

function readOutcome(reader: Reader): Outcome {
  const code = reader.byte()
  switch (KINDS[code]) {
    case 'create':
      return { kind: 'create', path: reader.text(), stat: statCodec.read(reader) }
    case 'stat':
      return { kind: 'stat', stat: statCodec.read(reader) }
    case 'done':
      return { kind: 'done' }
    case 'error':
      return { kind: 'error', code: reader.int() }
    default:
      throw new DecodeError(`outcome ${code}`)
  }
}
