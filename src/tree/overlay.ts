import type { SessionId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Acls } from './acl.ts'
import { AskedNumbers } from './asked.ts'
import type { Session } from './sessions.ts'
import type { State } from './state.ts'

/** A node as it will stand once everything prepared is applied: what checks must know. Replaced, never changed. */
export interface Draft {
  readonly exists: boolean
  readonly version: number
  readonly creates: number
  readonly aversion: number
  readonly numChildren: number
  readonly acl: Acls
  readonly owner: bigint
  readonly czxid: Zxid
  readonly mzxid: Zxid
}

type Latest<T> = { readonly zxid: Zxid; readonly value: T }
/** One step of the journal: who changed, and what stood there before, for a rollback. */
type Step =
  | { readonly zxid: Zxid; readonly path: string; readonly before: Latest<Draft> | undefined }
  | { readonly zxid: Zxid; readonly session: SessionId; readonly before: Latest<Session | null> | undefined }

/**
 * The state plus everything that is prepared and not applied yet. Only the leader has one; it ends with the leader's office.
 * ZooKeeper: outstandingChanges, with a rollback that restores parents too (ZOOKEEPER-1624).
 */
export class Overlay {
  readonly #state: State
  readonly #drafts = new Map<string, Latest<Draft>>()
  readonly #sessions = new Map<SessionId, Latest<Session | null>>()
  /** Ascending zxids. */
  #journal: Step[] = []
  /** Apart from the journal: a request that was refused was asked all the same. */
  readonly asked: AskedNumbers = new AskedNumbers()
  #forgotten = 0

  constructor(state: State) {
    this.#state = state
  }

  node(path: string): Draft | undefined {
    const latest = this.#drafts.get(path)
    if (latest !== undefined) return latest.value.exists ? latest.value : undefined
    const node = this.#state.tree.get(path)
    if (node === undefined) return undefined
    const { version, creates, aversion, numChildren, acl, owner, czxid, mzxid } = node
    return { exists: true, version, creates, aversion, numChildren, acl, owner, czxid, mzxid }
  }

  setNode(zxid: Zxid, path: string, value: Draft): void {
    this.#journal.push({ zxid, path, before: this.#drafts.get(path) })
    this.#drafts.set(path, { zxid, value })
  }

  /** How many there are, those aside that are on their way. */
  get sessions(): number {
    return this.#state.sessions.size
  }

  session(id: SessionId): Session | undefined {
    const latest = this.#sessions.get(id)
    return latest === undefined ? this.#state.sessions.get(id) : (latest.value ?? undefined)
  }

  /** Null: it is closed. */
  setSession(zxid: Zxid, session: SessionId, value: Session | null): void {
    this.#journal.push({ zxid, session, before: this.#sessions.get(session) })
    this.#sessions.set(session, { zxid, value })
  }

  /** What the session will own. */
  ephemeralsOf(session: SessionId): string[] {
    const paths: string[] = []
    for (const path of this.#state.tree.ephemeralsOf(session)) if (!this.#drafts.has(path)) paths.push(path)
    for (const [path, { value }] of this.#drafts) if (value.exists && value.owner === session) paths.push(path)
    return paths
  }

  get mark(): number {
    return this.#journal.length
  }

  /** Undoes everything since the mark. */
  rollBack(mark: number): void {
    for (let step = this.#journal.length - 1; step >= mark; step--) {
      const undone = this.#journal.pop() as Step
      if ('path' in undone) put(this.#drafts, undone.path, undone.before)
      else put(this.#sessions, undone.session, undone.before)
    }
  }

  /** Everything up to `zxid` is in the state now. */
  applied(zxid: Zxid): void {
    this.asked.applied(zxid)
    for (let step = this.#journal[this.#forgotten]; step !== undefined && step.zxid <= zxid; ) {
      if ('path' in step) forget(this.#drafts, step.path, zxid)
      else forget(this.#sessions, step.session, zxid)
      step = this.#journal[++this.#forgotten]
    }
    if (this.#forgotten * 2 > this.#journal.length) {
      this.#journal = this.#journal.slice(this.#forgotten)
      this.#forgotten = 0
    }
  }
}

function put<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key)
  else map.set(key, value)
}

function forget<K>(map: Map<K, Latest<unknown>>, key: K, zxid: Zxid): void {
  const latest = map.get(key)
  if (latest !== undefined && latest.zxid <= zxid) map.delete(key)
}
