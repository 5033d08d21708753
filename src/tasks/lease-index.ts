/** One lease: `a/<wid>/<id>.<attempt>`. */
export interface LeaseFacts {
  readonly wid: string
  readonly id: string
  readonly attempt: number
}

/** The leases that exist, and which of them need something done. */
export class LeaseIndex {
  readonly #byTask = new Map<string, LeaseFacts>()
  /** By task: when the lease was first seen, on the leader's clock. */
  readonly #since = new Map<string, number>()
  readonly #byWorker = new Map<string, Set<string>>()
  /** Ids of tasks whose lease is a dead worker's, or must stop, as far as not ordered yet. */
  readonly #orphans = new Set<string>()
  readonly #stops = new Set<string>()
  /** Mailboxes of dead workers. */
  readonly #dead = new Set<string>()

  ofTask(id: string): LeaseFacts | null {
    return this.#byTask.get(id) ?? null
  }

  countOf(wid: string): number {
    return this.#byWorker.get(wid)?.size ?? 0
  }

  /** When the task's lease was first seen; 0 without one. */
  since(id: string): number {
    return this.#since.get(id) ?? 0
  }

  put(lease: LeaseFacts, workerAlive: boolean, now: number): void {
    this.#byTask.set(lease.id, lease)
    this.#since.set(lease.id, now)
    const mailbox = this.#byWorker.get(lease.wid)
    if (mailbox === undefined) this.#byWorker.set(lease.wid, new Set([lease.id]))
    else mailbox.add(lease.id)
    if (!workerAlive) this.#orphans.add(lease.id)
  }

  remove(lease: LeaseFacts): void {
    this.#byTask.delete(lease.id)
    this.#since.delete(lease.id)
    this.#orphans.delete(lease.id)
    this.#stops.delete(lease.id)
    const mailbox = this.#byWorker.get(lease.wid)
    mailbox?.delete(lease.id)
    if (mailbox?.size === 0) this.#byWorker.delete(lease.wid)
  }

  workerAlive(wid: string): void {
    this.#dead.delete(wid)
    for (const id of this.#byWorker.get(wid) ?? []) this.#orphans.delete(id)
  }

  workerGone(wid: string): void {
    this.#dead.add(wid)
    for (const id of this.#byWorker.get(wid) ?? []) this.#orphans.add(id)
  }

  mailbox(wid: string): void {
    this.#dead.add(wid)
  }

  mailboxGone(wid: string): void {
    this.#dead.delete(wid)
  }

  /** The task has ended: a lease that is still there must be told. */
  ended(id: string): void {
    if (this.#byTask.has(id)) this.#stops.add(id)
  }

  again(lease: LeaseFacts, workerAlive: boolean, ended: boolean): void {
    const known = this.#byTask.get(lease.id)
    if (known?.attempt !== lease.attempt || known.wid !== lease.wid) return
    if (!workerAlive) this.#orphans.add(lease.id)
    else if (ended) this.#stops.add(lease.id)
  }

  takeOrphans(): readonly LeaseFacts[] {
    return this.#take(this.#orphans)
  }

  /** A dead worker's lease is revoked instead, so it is none of these. */
  takeStops(): readonly LeaseFacts[] {
    return this.#take(this.#stops).filter((lease) => !this.#dead.has(lease.wid))
  }

  #take(ids: Set<string>): readonly LeaseFacts[] {
    const taken: LeaseFacts[] = []
    for (const id of ids) {
      const lease = this.#byTask.get(id)
      if (lease !== undefined) taken.push(lease)
    }
    ids.clear()
    return taken
  }

  /** Mailboxes to bury: of dead workers, without leases. Each is given once. */
  takeEmpty(): readonly string[] {
    const empty: string[] = []
    for (const wid of this.#dead) if (!this.#byWorker.has(wid)) empty.push(wid)
    for (const wid of empty) this.#dead.delete(wid)
    return empty
  }
}
