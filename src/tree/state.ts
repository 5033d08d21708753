import { utf8 } from '../base/bytes.ts'
import { ZXID_NONE, type Zxid } from '../base/zxid.ts'
import type { Txn } from '../jute/txns.ts'
import { type Applied, applyTxn } from './apply.ts'
import { Digest } from './digest.ts'
import { CONFIG_PATH } from './path.ts'
import { Quotas } from './quotas.ts'
import { SessionTable } from './sessions.ts'
import { readSnapshot, SnapshotChunks } from './snapshot.ts'
import { ZnodeTree } from './tree.ts'

/** All that replicas must agree on: znodes, sessions, and how far the log was applied. */
export class State {
  readonly #digest = new Digest()
  readonly tree: ZnodeTree = new ZnodeTree(this.#digest)
  readonly sessions: SessionTable = new SessionTable(this.#digest)
  readonly quotas: Quotas = new Quotas(this.tree)
  #applied: Zxid = ZXID_NONE

  /** As every ensemble begins. */
  static fresh(): State {
    const state = new State()
    state.tree.plant()
    return state
  }

  /** From the chunks of `snapshot()`. Throws DecodeError. */
  static restored(zxid: Zxid, chunks: readonly Uint8Array[]): State {
    const state = new State()
    readSnapshot(state, chunks)
    state.#applied = zxid
    return state
  }

  get applied(): Zxid {
    return this.#applied
  }

  /** 16 hexadecimal digits; equal at equal `applied`. */
  get digest(): string {
    return this.#digest.hex
  }

  /** Txns come in the order of their zxids. */
  apply(zxid: Zxid, txn: Txn): Applied {
    const applied = applyTxn(this, zxid, txn)
    this.#applied = zxid
    return applied
  }

  /** The configuration of the ensemble, as /zookeeper/config shows it. */
  applyConfig(zxid: Zxid, text: string): Applied {
    this.#applied = zxid
    const before = this.tree.get(CONFIG_PATH)
    // A format record says nothing about members.
    if (before === undefined || text === '') return { error: 0, outcomes: [], changes: [] }
    const { acl } = this.tree.setData(CONFIG_PATH, utf8(text), before.version + 1, zxid, before.mtime)
    return { error: 0, outcomes: [], changes: [{ type: 'NodeDataChanged', path: CONFIG_PATH, acl }] }
  }

  /** The state as it is at this call. Costs O(sessions and their replies) now and O(nodes) while drawn. */
  snapshot(): SnapshotChunks {
    const sessions = [...this.sessions.values()].map((session) => ({
      session,
      replies: this.sessions.replies(session.id)?.fields,
    }))
    return new SnapshotChunks(this.tree.fork(), sessions)
  }
}
