import type { ReplicaId } from '../../src/base/ids.ts'
import { epochOf, formatZxid, makeZxid, type Zxid } from '../../src/base/zxid.ts'
import { type History, holdsZxid, lastZxid } from '../../src/zab/history.ts'
import type { Config } from '../../src/zab/membership.ts'
import type { Message } from '../../src/zab/messages.ts'
import type { Leading, Peer } from '../../src/zab/peer.ts'
import { majority } from '../../src/zab/quorum.ts'
import { type DiskState, onDisk } from './disk.ts'
import { Violation } from './violation.ts'

/** What was looked at last of one peer, so that nothing is looked at twice. */
interface Glance {
  readonly peer: Readonly<Peer>
  delivered: Zxid
  config: Zxid
  epoch: number
}

/** What must hold of one replica at any moment, beyond what replicas must have in common. O(1) amortised an event, but for a search in its log. */
export class Invariants {
  readonly #glances = new Map<ReplicaId, Glance>()
  /** Where the history ends that a leader began with. */
  readonly #initial = new WeakMap<Leading, Zxid>()
  readonly #established = new WeakSet<Leading>()
  readonly #committedBelow: (zxid: Zxid) => Zxid | undefined

  readonly #committedBefore: (epoch: number) => Zxid | undefined

  /** `committedBelow`: the last zxid below this one that anybody has delivered; `committedBefore`: the last one delivered under an earlier leader. */
  constructor(committedBelow: (zxid: Zxid) => Zxid | undefined, committedBefore: (epoch: number) => Zxid | undefined) {
    this.#committedBelow = committedBelow
    this.#committedBefore = committedBefore
  }

  afterEvent(peer: Readonly<Peer>, disk: DiskState): void {
    const { role, history, options } = peer
    if (role.kind === 'leading' && role.phase !== 'discovery') this.#leads(peer, role)
    let glance = this.#glances.get(options.id)
    if (glance?.peer !== peer) {
      glance = { peer, delivered: peer.delivered, config: 0 as Zxid, epoch: 0 }
      this.#glances.set(options.id, glance)
    }
    if (glance.delivered !== peer.delivered) {
      glance.delivered = peer.delivered
      bounded(peer)
    }
    if (glance.epoch !== disk.currentEpoch) {
      glance.epoch = disk.currentEpoch
      this.#standsFor(disk)
    }
    const [before, last] = history.configs.slice(-2)
    const config = (last ?? before)?.entry.zxid ?? (0 as Zxid)
    if (glance.config === config) return
    glance.config = config
    if (before !== undefined && last !== undefined && !meet(before.config, last.config))
      throw new Violation(
        'I13',
        `replica ${options.id}: ${tell(before.config)}, then ${tell(last.config)}, have quorums apart`,
      )
  }

  /**
   * I3: a disk that says that it has entered an epoch holds all that earlier leaders committed; elections believe it. What a later leader
   * committed may be older by its zxid: a leader that never came to lead has entered its epoch without what the next one inherits.
   */
  #standsFor(disk: DiskState): void {
    const committed = this.#committedBefore(disk.currentEpoch)
    if (committed !== undefined && !onDisk(disk, committed))
      throw new Violation(
        'I3',
        `disk ${disk.replica} says epoch ${disk.currentEpoch}, and lacks ${formatZxid(committed)}`,
      )
  }

  /** I3: an established leader holds all that was committed in earlier epochs. I8: see `sent`. */
  #leads(peer: Readonly<Peer>, role: Leading): void {
    if (!this.#initial.has(role)) this.#initial.set(role, endBefore(peer.history, role.epoch))
    if (role.phase !== 'broadcast' || this.#established.has(role)) return
    this.#established.add(role)
    const committed = this.#committedBelow(makeZxid(role.epoch, 0))
    if (committed !== undefined && peer.history.base < committed && !holdsZxid(peer.history, committed))
      throw new Violation('I3', `replica ${peer.options.id} leads epoch ${role.epoch} without ${formatZxid(committed)}`)
  }

  /** I5: what an acknowledgement claims is on the sender's disk when it leaves. I8: a leader proposes only once it has delivered all that it began with. */
  sent(peer: Readonly<Peer>, disk: DiskState, message: Message): void {
    const { role, options } = peer
    const claims = (zxid: Zxid): void => {
      if (!onDisk(disk, zxid))
        throw new Violation(
          'I5',
          `replica ${options.id} sends ${message.kind} of ${formatZxid(zxid)}, which its disk does not have`,
        )
    }
    if (message.kind === 'ack') claims(message.zxid)
    else if (message.kind === 'ackNewLeader') {
      claims(message.zxid)
      if (disk.currentEpoch < message.epoch)
        throw new Violation(
          'I5',
          `replica ${options.id} takes epoch ${message.epoch}, its disk says ${disk.currentEpoch}`,
        )
    } else if (message.kind === 'ackEpoch' && message.currentEpoch >= 0) {
      claims(message.lastZxid)
      if (role.kind === 'following' && disk.acceptedEpoch < role.epoch)
        throw new Violation('I5', `replica ${options.id} promises ${role.epoch}, its disk says ${disk.acceptedEpoch}`)
    } else if (message.kind === 'proposal' && role.kind === 'leading') {
      const first = message.entries[0]?.zxid
      const initial = this.#initial.get(role) ?? (0 as Zxid)
      if (first !== undefined && epochOf(first) === role.epoch && peer.delivered < initial)
        throw new Violation(
          'I8',
          `replica ${options.id} proposes ${formatZxid(first)} and has not delivered ${formatZxid(initial)}`,
        )
    }
  }
}

/** I11: memory keeps no more of what was delivered than it was told to. */
function bounded({ history, delivered, options }: Readonly<Peer>): void {
  const { entries, start } = history
  let undelivered = 0
  while (undelivered < entries.length - start && (entries[entries.length - 1 - undelivered]?.zxid ?? 0) > delivered)
    undelivered++
  const kept = entries.length - start - undelivered
  if (kept > options.historyEntriesMax)
    throw new Violation('I11', `replica ${options.id} keeps ${kept} entries, not ${options.historyEntriesMax}`)
  if (start > 1024 && start * 2 > entries.length)
    throw new Violation('I11', `replica ${options.id} holds ${start} entries that it has forgotten`)
}

function endBefore(history: History, epoch: number): Zxid {
  const { entries, start } = history
  for (let at = entries.length - 1; at >= start; at--) {
    const zxid = entries[at]?.zxid ?? (0 as Zxid)
    if (epochOf(zxid) < epoch) return zxid
  }
  return epochOf(lastZxid(history)) < epoch ? lastZxid(history) : history.base
}

/** I13: any quorum of the one has somebody in common with any quorum of the other. */
function meet(a: Config, b: Config): boolean {
  const parts = (config: Config): (readonly ReplicaId[])[] =>
    config.old === null ? [config.voters] : [config.voters, config.old]
  return parts(a).some((one) =>
    parts(b).some((other) => majority(one.length) + majority(other.length) > new Set([...one, ...other]).size),
  )
}

const tell = ({ voters, old }: Config): string => `voters ${voters}${old === null ? '' : ` joint with ${old}`}`
