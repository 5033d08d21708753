import { KeeperError } from '../src/index.ts'
import type { GossipChannel, Home, Status } from './gossip.ts'
import { letter } from './names.ts'
import { GROUP, type Place } from './seat.ts'

export interface MemberHere {
  readonly replica: number
  readonly name: number
  readonly home: Home
  /** Its own last word, or null while it has said none. */
  readonly status: Status | null
}

export interface RosterChange {
  readonly came: readonly MemberHere[]
  readonly went: readonly MemberHere[]
}

function parseMember(data: Uint8Array | null): MemberHere | null {
  try {
    const { replica, name, home } = JSON.parse(new TextDecoder().decode(data ?? undefined)) as Partial<MemberHere>
    if (typeof replica !== 'number' || typeof name !== 'number') return null
    return { replica, name, home: home === 'page' ? 'page' : 'frame', status: null }
  } catch {
    return null
  }
}

/** Who is here, by the ensemble's own word (one ephemeral node a member), with what each says about itself. */
export class Roster {
  readonly #members = new Map<number, MemberHere>()
  readonly #names = new Map<number, number>()
  readonly #statuses = new Map<number, Status>()
  readonly #changed: (change: RosterChange) => void

  constructor(gossip: GossipChannel, changed: (change: RosterChange) => void) {
    this.#changed = changed
    gossip.listen((message) => {
      if (message.kind !== 'status') return
      this.#names.set(message.status.replica, message.status.name)
      this.#statuses.set(message.status.replica, message.status)
    })
  }

  /** Sorted by name. */
  get members(): readonly MemberHere[] {
    return [...this.#members.values()]
      .map((member) => ({ ...member, status: this.#statuses.get(member.replica) ?? null }))
      .sort((a, b) => a.name - b.name)
  }

  /** Of all that was said, what knows of the latest leader. */
  get latest(): Status | null {
    const led = [...this.#statuses.values()].filter(({ leader }) => leader !== null)
    return led.reduce<Status | null>((best, one) => (best === null || one.epoch > best.epoch ? one : best), null)
  }

  /** It is known to be gone before the ensemble says so, or while this page cannot hear the ensemble. */
  drop(replica: number): void {
    this.#members.delete(replica)
    this.#statuses.delete(replica)
  }

  has(replica: number): boolean {
    return this.#members.has(replica)
  }

  /** The index of a replica's letter, also of one that is gone; null if it was never heard of. */
  nameOf(replica: number): number | null {
    return this.#names.get(replica) ?? null
  }

  letterOf(replica: number): string {
    const name = this.nameOf(replica)
    return name === null ? '?' : letter(name)
  }

  async attach({ keeper, signal }: Place): Promise<void> {
    try {
      for await (const all of keeper.membership(GROUP).watch({ signal })) {
        const next = all.map(({ data }) => parseMember(data)).filter((member) => member !== null)
        this.#take(next)
      }
    } catch (error) {
      // The session is over, and with it this watch.
      if (!(error instanceof KeeperError)) throw error
    }
  }

  #take(next: readonly MemberHere[]): void {
    const ids = new Set(next.map(({ replica }) => replica))
    const came = next.filter(({ replica }) => !this.#members.has(replica))
    const went = [...this.#members.values()].filter(({ replica }) => !ids.has(replica))
    for (const { replica } of went) {
      this.#members.delete(replica)
      this.#statuses.delete(replica)
    }
    for (const member of next) {
      this.#members.set(member.replica, member)
      this.#names.set(member.replica, member.name)
    }
    if (came.length > 0 || went.length > 0) this.#changed({ came, went })
  }
}
