import type { ReplicaId } from '../base/ids.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Config } from './membership.ts'

/** More than half. */
export const majority = (count: number): number => Math.floor(count / 2) + 1

function holds(voters: readonly ReplicaId[], has: (id: ReplicaId) => boolean): boolean {
  let count = 0
  for (const id of voters) if (has(id)) count++
  return count >= majority(voters.length)
}

/** Do those for whom `has` is true form a quorum? While joint, of the old and of the new voters. Observers never count (ZOOKEEPER-2959). */
export const hasQuorum = (config: Config, has: (id: ReplicaId) => boolean): boolean =>
  holds(config.voters, has) && (config.old === null || holds(config.old, has))

function reached(voters: readonly ReplicaId[], acked: (id: ReplicaId) => Zxid): Zxid {
  const sorted = voters.map(acked).sort((a, b) => b - a)
  return sorted[majority(voters.length) - 1] as Zxid
}

/** The highest zxid that a quorum has on disk, given each voter's cumulative acknowledgement. */
export function quorumZxid(config: Config, acked: (id: ReplicaId) => Zxid): Zxid {
  const now = reached(config.voters, acked)
  return config.old === null ? now : (Math.min(now, reached(config.old, acked)) as Zxid)
}
