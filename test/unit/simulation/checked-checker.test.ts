import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ERROR_CODES } from '../../../src/base/errors.ts'
import type { SessionId } from '../../../src/base/ids.ts'
import { makeZxid, type Zxid } from '../../../src/base/zxid.ts'
import { judge } from '../../simulation/history/check.ts'
import { readAnswer, writeAnswer } from '../../simulation/history/reference-answers.ts'
import { ReferenceTree } from '../../simulation/history/reference-tree.ts'
import { isWrite } from '../../simulation/history/trail.ts'
import type { History, LogEntry, Op, Result, SessionEvent } from '../../simulation/history/types.ts'
import { type Plain, search, type Witness } from './exhaustive-search.ts'
import { type Asked, create, get, remove, Story, set, sync } from './story.ts'

const CLIENTS = 2

/** One thing that a client does, and how the service treats it: mostly well. */
interface Act {
  readonly client: number
  readonly op: Op
  /** Of a write: is it done, and is it answered? */
  readonly fate: 'done' | 'late' | 'unheard' | 'undone' | 'lied'
  /** Of a read: how many commits it lags behind; and behind that, what it says. */
  readonly lag: number
  readonly says: number
  /** Does the replica look at what the session has seen? */
  readonly careful: boolean
}

const path = fc.constantFrom('/a', '/b')
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 2, arbitrary: path.map((at) => create(at, 'c') as Op) },
  {
    weight: 3,
    arbitrary: fc.tuple(path, fc.constantFrom('x', 'y'), fc.constantFrom(-1, 0, 1)).map((a) => set(...a) as Op),
  },
  { weight: 1, arbitrary: path.map((at) => remove(at) as Op) },
  { weight: 5, arbitrary: path.map((at) => get(at)) },
  { weight: 2, arbitrary: fc.constant(sync) },
)
const act: fc.Arbitrary<Act> = fc.record({
  client: fc.nat(CLIENTS - 1),
  op,
  fate: fc.constantFrom('done', 'done', 'done', 'done', 'late', 'unheard', 'undone', 'lied'),
  lag: fc.constantFrom(0, 0, 0, 1, 2),
  says: fc.constantFrom(0, 0, 0, 0, 0, 0, 1),
  careful: fc.constantFrom(true, true, true, false),
})

/** A service that does what the acts say; its headers always claim that all is well. */
function play(acts: readonly Act[]): Story {
  const story = new Story()
  const people = Array.from({ length: CLIENTS }, (_, at) => story.client(`client ${at}`))
  const late: Asked[] = []
  const seen = people.map(() => CLIENTS)
  for (const { client, op, fate, lag, says, careful } of acts) {
    const person = people[client]
    // A connection answers in order: behind one that is late nothing more is asked.
    if (person === undefined || late.some(({ by }) => by === person)) continue
    const asked = person.asks(op)
    if (isWrite(op)) {
      if (fate === 'undone') continue
      story.commits(asked)
      asked.right = brief(asked.right ?? {})
      if (fate === 'late') late.push(asked)
      if (fate === 'done') person.hears(asked)
      if (fate === 'lied') person.hears(asked, { error: ERROR_CODES.NodeExists })
      if (fate === 'done' || fate === 'lied') seen[client] = story.log.length
    } else {
      const position = Math.max(story.log.length - lag, careful ? (seen[client] ?? 0) : CLIENTS)
      const told = brief(readAnswer(treeAt(story.log, Math.max(CLIENTS, position - says)), op, person.session))
      person.hears(asked, told, story.log[position - 1]?.zxid ?? (0 as Zxid))
      seen[client] = position
    }
  }
  for (const asked of late) asked.by.hears(asked)
  return story
}

function treeAt(log: readonly LogEntry[], position: number): ReferenceTree {
  const tree = new ReferenceTree()
  for (const entry of log.slice(0, position)) tree.apply(entry)
  return tree
}

/** What both checkers look at. */
const brief = ({ error, path, data, stat }: Result): Result => ({
  ...(error === undefined ? {} : { error }),
  ...(path === undefined ? {} : { path }),
  ...(data === undefined ? {} : { data }),
  ...(stat?.version === undefined || path !== undefined ? {} : { stat: { version: stat.version } }),
})

/** Without zxids and log. */
function plain(story: Story): Plain[] {
  return story.people.flatMap(({ events }, client) =>
    events.flatMap((event) => {
      if (event.kind !== 'invoke') return []
      const answer = events.find((one) => one.kind === 'reply' && one.xid === event.xid)
      const reply = answer?.kind === 'reply' ? { at: answer.at, result: answer.result } : null
      return [{ client, invoked: event.at, op: event.op, reply }]
    }),
  )
}

/** The same story with the log and the headers that the witness tells of. */
function retold(story: Story, { commits, shows }: Witness): History {
  const tree = new ReferenceTree()
  const log: LogEntry[] = []
  const add = (entry: LogEntry): void => {
    tree.apply(entry)
    log.push(entry)
  }
  for (const entry of story.log.slice(0, CLIENTS)) add(entry)
  for (const { call, at } of commits) {
    const session = BigInt(call.client + 1) as SessionId
    const zxid = makeZxid(1, log.length + 1)
    tree.at(zxid, 0)
    if (!isWrite(call.op)) throw new Error('a read is committed')
    const { body } = writeAnswer(tree, call.op, session)
    const cxid = story.people[call.client]?.events.find((one) => one.kind === 'invoke' && one.at === call.invoked)
    if (cxid?.kind !== 'invoke') throw new Error('nobody asked')
    const origin = story.log.find((one) => one.session === session)?.origin ?? 0
    add({ zxid, session, cxid: cxid.xid, origin, time: 0, body, at, ms: at })
  }
  const sessions = story.people.map(({ name, events }, client) => ({
    name,
    events: events.map((event): SessionEvent => {
      if (event.kind !== 'reply') return event
      const call = [...shows.keys()].find((one) => one.client === client && one.reply?.at === event.at)
      const position = CLIENTS + (call === undefined ? 0 : (shows.get(call) ?? 0))
      return { ...event, zxid: log[position - 1]?.zxid ?? (0 as Zxid) }
    }),
  }))
  return { log, sessions, settledSince: null, endedMs: 0 }
}

it('refuses what no order of events explains, and accepts every explanation that a search through all of them finds', () => {
  const seen = { explained: 0, unexplained: 0 }
  fc.assert(
    fc.property(fc.array(act, { minLength: 1, maxLength: 8 }), (acts) => {
      const story = play(acts)
      const witness = search(plain(story), CLIENTS)
      seen[witness === null ? 'unexplained' : 'explained']++
      if (witness === null) expect(judge(story.history())).not.toEqual([])
      else expect(judge(retold(story, witness))).toEqual([])
    }),
    { numRuns: 3000 },
  )
  // Neither side of it was idle.
  expect(seen.explained).toBeGreaterThan(300)
  expect(seen.unexplained).toBeGreaterThan(300)
})
