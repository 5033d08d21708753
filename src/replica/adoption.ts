import type { LinkId, ReplicaId } from '../base/ids.ts'
import { TIMES } from '../base/limits.ts'
import type { Recovered, TxnLog } from '../storage/txn-log.ts'
import { memoryLinkPair } from '../transport/memory-link.ts'
import { openPeerLink } from '../transport/open-peer-link.ts'
import type { Hello } from '../transport/peer-link.ts'
import type { ReplicaListener, ReplicaState } from './api.ts'
import type { Replica } from './replica.ts'

/** An identity of a dead tab, taken up: its lock held, its log open. */
export interface Orphan {
  readonly log: TxnLog
  readonly recovered: Recovered
  release(): Promise<void>
}

export interface AdoptionParts {
  readonly hello: Hello
  readonly main: Replica
  now(): number
  /** Null where the identity is not of this browser, or somebody holds it: a frozen tab is not dead. */
  claim(replica: ReplicaId): Promise<Orphan | null>
  make(orphan: Orphan, listener: ReplicaListener): Replica
}

interface Adopted {
  readonly replica: Replica
  readonly orphan: Orphan
  readonly hello: Hello
  linked: boolean
  /** Since when it is not needed any more. */
  spareSince: number | null
}

/** Link numbers of links within this worker; those of the link desk count from 1. */
const FIRST_LINK = 2 ** 40
/** The configuration without an adopted replica has to stand this long before its vote is let go. */
const SPARE_MS = 1000

/**
 * When a whole browser died with all its voters and one tab is opened again, that tab has no quorum: it runs the others' votes too, with their real
 * logs, until the leader has voted them out. Safe because a claim needs the identity's lock (its holder is dead) and its own log;
 * to the ensemble it is the same replica, come back. It serves no sessions and gives the lead away.
 */
export class Adoption {
  readonly #parts: AdoptionParts
  readonly #adopted = new Map<ReplicaId, Adopted>()
  /** Of a later build's, or broken: asked once. */
  readonly #unreadable = new Set<ReplicaId>()
  #state: Pick<ReplicaState, 'serving' | 'voters' | 'joint'> | null = null
  #lonelySince: number | null
  #links = FIRST_LINK
  #busy = false
  #closed = false

  constructor(parts: AdoptionParts) {
    this.#parts = parts
    this.#lonelySince = parts.now()
  }

  changed(state: Pick<ReplicaState, 'serving' | 'voters' | 'joint'>): void {
    this.#state = state
    if (state.serving) this.#lonelySince = null
    else this.#lonelySince ??= this.#parts.now()
  }

  /** To be called now and then. */
  async look(): Promise<void> {
    if (this.#busy || this.#closed || this.#state === null) return
    this.#busy = true
    try {
      const now = this.#parts.now()
      if (this.#lonelySince !== null && now - this.#lonelySince >= TIMES.adoptAfter) await this.#adoptAll()
      for (const one of this.#adopted.values()) if (!one.linked) this.#link(one)
      await this.#letGo(now)
    } finally {
      this.#busy = false
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const { replica } of [...this.#adopted.values()]) await replica.close()
  }

  async #adoptAll(): Promise<void> {
    const { hello, main } = this.#parts
    const linked = main.peer.links
    for (const id of this.#state?.voters ?? []) {
      if (id === hello.replica || this.#adopted.has(id) || linked.has(id)) continue
      if (this.#unreadable.has(id)) continue
      // One that cannot be had keeps none of the others.
      const orphan = await this.#parts.claim(id).catch(() => void this.#unreadable.add(id))
      if (!orphan) continue
      if (this.#closed) return orphan.release()
      this.#adopt(id, orphan)
    }
  }

  #adopt(id: ReplicaId, orphan: Orphan): void {
    const replica = this.#parts.make(orphan, {
      changed: () => undefined,
      leading: () => undefined,
      notLeading: () => undefined,
      notice: () => undefined,
      ended: () => {
        this.#adopted.delete(id)
        orphan.release().catch(() => undefined)
      },
    })
    const { incarnation } = orphan.recovered
    const hello = { ...this.#parts.hello, replica: id, incarnation, adopted: true }
    this.#adopted.set(id, { replica, orphan, hello, linked: false, spareSince: null })
    replica.start()
  }

  /** With this worker's own replica; two adopted ones need no link, the quorum goes through the living. */
  #link(one: Adopted): void {
    one.linked = true
    const [here, there] = memoryLinkPair()
    const lost = (): void => {
      one.linked = false
    }
    const opening = [
      openPeerLink(here, this.#parts.hello, { linkId: this.#links++ as LinkId }),
      openPeerLink(there, one.hello, { linkId: this.#links++ as LinkId }),
    ] as const
    Promise.all(opening).then(([mine, theirs]) => {
      this.#parts.main.linkOpened(mine)
      one.replica.linkOpened(theirs)
      const closed = theirs.onclose
      theirs.onclose = (reason, bad) => {
        lost()
        closed?.(reason, bad)
      }
    }, lost)
  }

  /** Once the configuration without it stands and requests are served. */
  async #letGo(now: number): Promise<void> {
    const state = this.#state
    for (const [id, one] of [...this.#adopted]) {
      const spare = state?.serving === true && !state.joint && !state.voters.includes(id)
      one.spareSince = spare ? (one.spareSince ?? now) : null
      if (one.spareSince !== null && now - one.spareSince >= SPARE_MS) await one.replica.close()
    }
  }
}
