import type { ReplicaId } from '../../src/base/ids.ts'
import { formatZxid, makeZxid, type Zxid } from '../../src/base/zxid.ts'
import type { Message } from '../../src/zab/messages.ts'
import type { Peer } from '../../src/zab/peer.ts'
import { majority } from '../../src/zab/quorum.ts'
import { type DiskState, holds, onDisk } from './disk.ts'
import { Invariants } from './invariants.ts'
import { Violation } from './violation.ts'

interface Canonical {
  readonly zxid: Zxid
  readonly hash: number
  /** In whose epoch it was first seen to be committed; an entry that a leader inherits may be older than its commit. */
  readonly by: number
}

export function hashOf(bytes: Uint8Array): number {
  let h = 2166136261
  for (const byte of bytes) h = Math.imul(h ^ byte, 16777619)
  return h | 0
}

/** Looks inside all replicas after every event, and at every delivery. */
export class Checkers {
  readonly #leaders = new Map<number, ReplicaId>()
  readonly #canonical: Canonical[] = []
  readonly #index = new Map<Zxid, number>()
  readonly #digests = new Map<Zxid, string>()
  readonly #epochs = new Map<DiskState, { accepted: number; current: number }>()
  readonly #disks: () => readonly DiskState[]
  readonly #peers: () => readonly Readonly<Peer>[]
  readonly #invariants = new Invariants(
    (zxid) => this.#committedBelow(zxid),
    (epoch) => this.#committedBefore(epoch),
  )

  constructor(disks: () => readonly DiskState[], peers: () => readonly Readonly<Peer>[]) {
    this.#disks = disks
    this.#peers = peers
  }

  /** Somebody's tree was changed on purpose: all must be equal again in the end, not before. */
  diverged = false

  /** This disk went backwards, by design of the fault. */
  forgive(disk: DiskState): void {
    this.#epochs.delete(disk)
  }

  get committed(): number {
    return this.#canonical.length
  }

  /** I1: at most one established leader an epoch, ever. I9: memory is covered by issued writes. */
  afterEvent(peer: Readonly<Peer>, disk: DiskState): void {
    const { role } = peer
    if (role.kind === 'leading' && role.phase !== 'discovery') {
      const known = this.#leaders.get(role.epoch)
      if (known === undefined) this.#leaders.set(role.epoch, peer.options.id)
      else if (known !== peer.options.id)
        throw new Violation('I1', `epoch ${role.epoch} has leaders ${known} and ${peer.options.id}`)
    }
    const was = this.#epochs.get(disk)
    if (was === undefined) this.#epochs.set(disk, { accepted: disk.acceptedEpoch, current: disk.currentEpoch })
    else if (
      disk.acceptedEpoch < was.accepted ||
      disk.currentEpoch < was.current ||
      disk.currentEpoch > disk.acceptedEpoch
    ) {
      throw new Violation(
        'I6',
        `epochs on disk ${disk.replica}: ${was.accepted}/${was.current} then ${disk.acceptedEpoch}/${disk.currentEpoch}`,
      )
    } else {
      was.accepted = disk.acceptedEpoch
      was.current = disk.currentEpoch
    }
    if (peer.delivered > peer.committed || peer.durable.acceptedEpoch > disk.acceptedEpoch) {
      throw new Violation('I9', `replica ${disk.replica} shows more than its disk has`)
    }
    this.#invariants.afterEvent(peer, disk)
  }

  /** Before a message leaves. */
  sent(peer: Readonly<Peer>, disk: DiskState, message: Message): void {
    this.#invariants.sent(peer, disk, message)
  }

  #committedBelow(zxid: Zxid): Zxid | undefined {
    return this.#canonical[this.#firstFrom(zxid) - 1]?.zxid
  }

  #committedBefore(epoch: number): Zxid | undefined {
    let at = this.#firstFrom(makeZxid(epoch, 0)) - 1
    while ((this.#canonical[at]?.by ?? -1) >= epoch) at--
    return this.#canonical[at]?.zxid
  }

  #firstFrom(zxid: Zxid): number {
    let [low, high] = [0, this.#canonical.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#canonical[middle]?.zxid ?? 0) < zxid) low = middle + 1
      else high = middle
    }
    return low
  }

  /** I2: every replica delivers the one canonical sequence. I4: what is delivered first is on a quorum's disks. I9: and on the own one. */
  delivered(peer: Readonly<Peer>, position: number, zxid: Zxid, bytes: Uint8Array): number {
    const hash = hashOf(bytes)
    const own = this.#disks().find(({ replica }) => replica === peer.options.id)
    if (own === undefined || !onDisk(own, zxid)) {
      throw new Violation(
        'I9',
        `replica ${peer.options.id} delivers ${formatZxid(zxid)}, which its own disk does not have`,
      )
    }
    const known = this.#canonical[position]
    if (known === undefined) {
      const last = this.#canonical[position - 1]
      if (last !== undefined && zxid <= last.zxid)
        throw new Violation('I2', `${formatZxid(zxid)} after ${formatZxid(last.zxid)}`)
      this.#canonical.push({ zxid, hash, by: peer.role.kind === 'looking' ? own.currentEpoch : peer.role.epoch })
      this.#index.set(zxid, position)
      this.#quorumHas(peer, zxid)
    } else if (known.zxid !== zxid || known.hash !== hash) {
      throw new Violation(
        'I2',
        `replica ${peer.options.id} delivers ${formatZxid(zxid)} at ${position}, others ${formatZxid(known.zxid)}`,
      )
    }
    return position + 1
  }

  /** A restart applies what its log says was committed; somebody may have committed it and died before delivering it. */
  replayed(disk: DiskState, position: number, zxid: Zxid, bytes: Uint8Array): number {
    const known = this.#canonical[position]
    const hash = hashOf(bytes)
    if (known === undefined) {
      this.#canonical.push({ zxid, hash, by: disk.currentEpoch })
      this.#index.set(zxid, position)
    } else if (known.zxid !== zxid || known.hash !== hash) {
      throw new Violation(
        'I2',
        `a log has ${formatZxid(zxid)} as committed at ${position}, others ${formatZxid(known.zxid)}`,
      )
    }
    return position + 1
  }

  /** Where delivery goes on behind a snapshot at `zxid`. */
  positionAfter(zxid: Zxid): number {
    if (zxid === 0) return 0
    const index = this.#index.get(zxid)
    if (index === undefined) throw new Violation('I2', `a snapshot at ${formatZxid(zxid)}, which nobody committed`)
    return index + 1
  }

  #quorumHas(peer: Readonly<Peer>, zxid: Zxid): void {
    // The configuration in force at this entry, or a later one that somebody's log has by now: a majority of the new one meets every joint quorum.
    const counting = [peer, ...this.#peers()].flatMap(({ history: { configs } }) => {
      const inForce = configs.findLastIndex(({ entry }) => entry.zxid <= zxid)
      return configs.slice(Math.max(0, inForce)).map(({ config }) => config)
    })
    const disks = new Map(this.#disks().map((disk) => [disk.replica, disk]))
    const has = (id: ReplicaId): boolean => {
      const disk = disks.get(id)
      return disk !== undefined && holds(disk, zxid)
    }
    const reached = (voters: readonly ReplicaId[] | null): boolean =>
      voters === null || voters.filter(has).length >= majority(voters.length)
    if (!counting.some(({ voters, old }) => reached(voters) && reached(old))) {
      const told = counting.map(({ voters, old }) => `${voters}${old === null ? '' : ` joint ${old}`}`).join('; ')
      const holders = [...disks.keys()].filter(has)
      throw new Violation('I4', `${formatZxid(zxid)} is delivered, but only ${holders} have it on disk, of ${told}`)
    }
  }

  /** I7: equal zxid, equal digest. */
  digest(replica: ReplicaId, zxid: Zxid, digest: string): void {
    if (this.diverged) return
    const known = this.#digests.get(zxid)
    if (known === undefined) this.#digests.set(zxid, digest)
    else if (known !== digest)
      throw new Violation('I7', `replica ${replica} at ${formatZxid(zxid)}: digest ${digest}, others ${known}`)
  }

  has(zxid: Zxid): boolean {
    return this.#index.has(zxid)
  }
}
