import type { SessionId } from '../../../src/base/ids.ts'
import { makeZxid, type Zxid } from '../../../src/base/zxid.ts'
import type { WatchEventType } from '../../../src/client/api.ts'
import { readAnswer, writeAnswer } from '../../simulation/history/reference-answers.ts'
import { ReferenceTree } from '../../simulation/history/reference-tree.ts'
import { Refused } from '../../simulation/history/step.ts'
import { isWrite } from '../../simulation/history/trail.ts'
import type {
  History,
  LogBody,
  LogEntry,
  Op,
  ReplicaState,
  Result,
  SessionEvent,
  Stamp,
  TreeOp,
} from '../../simulation/history/types.ts'

export const create = (path: string, data: string | null = null): TreeOp => ({
  kind: 'create',
  path,
  data,
  sequential: false,
  ephemeral: false,
})
export const ephemeral = (path: string): TreeOp => ({ ...create(path), ephemeral: true }) as TreeOp
export const sequential = (path: string): TreeOp => ({ ...create(path), sequential: true }) as TreeOp
export const set = (path: string, data: string, version = -1): TreeOp => ({ kind: 'setData', path, data, version })
export const remove = (path: string): TreeOp => ({ kind: 'delete', path, version: -1 })
export const multi = (...ops: TreeOp[]): Op => ({ kind: 'multi', ops })
export const get = (path: string, watch = false): Op => ({ kind: 'getData', path, watch })
export const exists = (path: string, watch = false): Op => ({ kind: 'exists', path, watch })
export const children = (path: string, watch = false): Op => ({ kind: 'getChildren', path, watch })
export const watchAll = (path: string, recursive = false): Op => ({ kind: 'addWatch', path, recursive })
export const sync: Op = { kind: 'sync' }
export const close: Op = { kind: 'close' }

/** Each: the step that must refuse it, what is wrong with it, and the history. */
export type BadHistories = readonly (readonly [step: number, title: string, tell: (story: Story) => void])[]

export interface Asked {
  readonly by: Person
  readonly xid: number
  readonly origin: number
  readonly op: Op
  /** Once it is in the log. */
  zxid?: Zxid
  right?: Result
}

type Untimed = SessionEvent extends infer E ? (E extends Stamp ? Omit<E, 'at' | 'ms'> : never) : never

/** Writes a history down, line by line, in the order in which a harness would see it. What is not said is as it should be. */
export class Story {
  readonly log: LogEntry[] = []
  readonly people: Person[] = []
  readonly feeds: { readonly replica: number; readonly entries: readonly LogEntry[] }[] = []
  readonly states: ReplicaState[] = []
  readonly tree = new ReferenceTree()
  #at = 0
  #ms = 0
  settled = false

  stamp(): Stamp {
    this.#ms += 10
    return { at: this.#at++, ms: this.#ms }
  }

  waits(ms: number): void {
    this.#ms += ms
  }

  get last(): Zxid {
    return this.log.at(-1)?.zxid ?? (0 as Zxid)
  }

  /** A client with a session. */
  client(name: string): Person {
    const person = new Person(this, name, BigInt(this.people.length + 1) as SessionId)
    this.people.push(person)
    person.connects('createSession')
    return person
  }

  /** The request is committed, with the effect that it should have, or with another. */
  commits(asked: Asked, body?: LogBody): Zxid {
    const { by, op, xid, origin } = asked
    const right = isWrite(op) ? writeAnswer(this.#moved(), op, by.session) : undefined
    asked.right = right?.result ?? {}
    asked.zxid = this.commit(body ?? right?.body ?? { kind: 'check' }, by.session, xid, origin)
    return asked.zxid
  }

  /** An entry, whoever asked. */
  commit(body: LogBody, session = 0n as SessionId, cxid = 0, origin = 0): Zxid {
    const zxid = makeZxid(1, this.log.length + 1)
    const entry = { zxid, session, cxid, origin, time: 0, body, ...this.stamp() }
    this.log.push(entry)
    try {
      this.tree.apply(entry)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
    }
    return zxid
  }

  /** The leader ends a session that it has not heard of. */
  expires(person: Person): Zxid {
    return this.commit({ kind: 'closeSession', paths: this.tree.ephemeralsOf(person.session) }, person.session)
  }

  #moved(): ReferenceTree {
    this.tree.at(makeZxid(1, this.log.length + 1), 0)
    return this.tree
  }

  history(): History {
    return {
      log: this.log,
      feeds: this.feeds,
      states: this.states,
      sessions: this.people,
      settledSince: this.settled ? 0 : null,
      endedMs: this.#ms,
    }
  }
}

export class Person {
  readonly name: string
  readonly session: SessionId
  readonly events: SessionEvent[] = []
  readonly #story: Story
  #xid = 0
  #origin = 0
  readonly timeout = 1000

  constructor(story: Story, name: string, session: SessionId) {
    this.#story = story
    this.name = name
    this.session = session
  }

  #note(event: Untimed): void {
    this.events.push({ ...event, ...this.#story.stamp() } as SessionEvent)
  }

  connects(how: 'createSession' | 'moveSession' = 'moveSession'): void {
    this.#origin = Number(this.session) * 100 + this.events.length
    this.#xid = 0
    this.#note({ kind: 'connect' })
    this.#story.commit({ kind: how, timeout: this.timeout }, this.session, 0, this.#origin)
    this.#note({ kind: 'attached', session: this.session, timeout: this.timeout })
  }

  loses(): void {
    this.#note({ kind: 'lost' })
  }

  isToldExpired(): void {
    this.#note({ kind: 'expired' })
  }

  asks(op: Op): Asked {
    const asked = this.willAsk(op)
    this.asksNow(asked)
    return asked
  }

  /** Nobody knows of it before `asksNow`. */
  willAsk(op: Op): Asked {
    return { by: this, xid: ++this.#xid, origin: this.#origin, op }
  }

  asksNow({ xid, op }: Asked): void {
    this.#note({ kind: 'invoke', xid, op })
  }

  /** The answer; as it should be, unless said. A read shows the present state, unless `zxid` says another: then say what. */
  hears(asked: Asked, result?: Result, zxid = asked.zxid ?? this.#story.last): void {
    const { op, xid } = asked
    const right = asked.right ?? (isWrite(op) ? {} : readAnswer(this.#story.tree, op, this.session))
    this.#note({ kind: 'reply', xid, zxid, result: result ?? right })
  }

  /** Asked, committed where it is a write, and answered. */
  does(op: Op): Zxid {
    const asked = this.asks(op)
    if (isWrite(op)) this.#story.commits(asked)
    this.hears(asked)
    return asked.zxid ?? this.#story.last
  }

  isTold(type: WatchEventType, path: string, zxid = this.#story.last): void {
    this.#note({ kind: 'watch', type, path, zxid })
  }
}
