import type { SessionId } from '../../src/base/ids.ts'
import type { Zxid } from '../../src/base/zxid.ts'
import { configOf, lastZxid } from '../../src/zab/history.ts'
import { hasQuorum } from '../../src/zab/quorum.ts'
import type { Checkers } from './checkers.ts'
import type { Node } from './node.ts'
import { Violation } from './violation.ts'
import type { World } from './world.ts'

/** At least, milliseconds; where a word takes a third of a second, 25 replicas take longer to find their places. */
const WITHIN = 60_000
/** On slower links than this, milliseconds, somebody is always on its way back: silence of 1.5 s is an accident of every minute there. */
const QUICK = 60
/** By now whoever leads knows who is gone. */
const NOTICED = 10_000
/** Elections that a healed ensemble may need. */
const EPOCHS_MAX = 20

interface End {
  readonly world: World
  readonly checkers: Checkers
  /** Who must agree in the end. */
  readonly core: readonly Node[]
  /** See `watchStandstill`. */
  standstill(): boolean
  /** Do requests come by themselves? */
  readonly busy: boolean
  /** Of a word on its way, milliseconds, on average. */
  readonly latency: number
  /** The next request's number. */
  next(): SessionId
  watch(): void
}

/**
 * L1: one leader; L2: the core follows it, everybody at the same zxid and digest, and new requests are committed; L5: without electing for ever.
 * All of it within a minute, or more on slow links.
 * False: a leader outside, whom the core still heard, or one that did not know yet who is gone, has made a configuration that the core alone
 * cannot decide: then it rightly stands still.
 */
export async function demandProgress({
  world,
  checkers,
  core,
  standstill,
  busy,
  latency,
  next,
  watch,
}: End): Promise<boolean> {
  const target = checkers.committed
  const within = Math.max(WITHIN, latency * 500)
  const deadline = world.now + within
  const epochAtHeal = highestEpoch(core)
  let wroteAt = 0
  let leader: Node | null = null
  let epoch = 0
  /** Where requests come by themselves nobody stands still: all must reach what was committed when all had arrived at this leader. */
  let goal: Zxid | null = null
  const arrived = new Set<Node>()
  const allArrived = (one: Node): boolean => {
    const current = one.replica?.peer.currentEpoch ?? 0
    if (leader !== one || epoch !== current) {
      leader = one
      epoch = current
      goal = null
      arrived.clear()
    }
    // At one moment; on slow links each at its own, but under this one leader.
    if (latency <= QUICK) arrived.clear()
    for (const node of core) {
      const inPlace = isInPlace(node) && node.replica?.peer.currentEpoch === epoch
      if (inPlace && (node.server?.applied ?? 0) >= (goal ?? 0)) arrived.add(node)
    }
    if (arrived.size < core.length) return false
    if (goal !== null) return true
    goal = Math.max(...core.map(({ replica }) => replica?.peer.committed ?? 0)) as Zxid
    arrived.clear()
    return false
  }
  const converged = (): boolean => {
    watch()
    const leaders = core.filter(({ replica }) => replica?.peer.role.kind === 'leading')
    const [first] = leaders
    if (first === undefined || leaders.length > 1 || !isInPlace(first)) return false
    if (busy) return allArrived(first)
    if (!core.every(isInPlace)) return false
    // A request may be lost with a role that had ended in a frozen tab: ask again after a while.
    if (world.now - wroteAt > 3000) {
      wroteAt = world.now
      for (const node of core) node.replica?.endSession(next())
      return false
    }
    const applied = core[0]?.server?.applied
    if (!core.every(({ server }) => server?.applied === applied)) return false
    // A tree that was changed on purpose is replaced: that takes a comparison and a snapshot.
    if (checkers.diverged && new Set(core.map(({ server }) => server?.digest)).size > 1) return false
    return checkers.committed >= target + core.length
  }
  await world.run(deadline, converged)
  const told = (): string => `\n  ${core.map(stateOf).join('\n  ')}`
  if (!converged()) {
    if (standstill()) return false
    const committed = `${checkers.committed} of ${target + core.length}`
    const leads = core.some(({ replica }) => replica?.peer.role.kind === 'leading')
    throw new Violation(
      leads ? 'L2' : 'L1',
      `no convergence within ${within / 1000} s (now ${world.now}, ${committed}):${told()}`,
    )
  }
  const digests = new Map<Zxid | undefined, string | undefined>()
  for (const { server } of core) {
    const other = digests.get(server?.applied)
    if (other !== undefined && other !== server?.digest)
      throw new Violation('I7', `at one zxid, digests ${other} and ${server?.digest}`)
    digests.set(server?.applied, server?.digest)
  }
  const epochs = highestEpoch(core) - epochAtHeal
  if (epochs > EPOCHS_MAX) throw new Violation('L5', `${epochs} epochs since the heal:${told()}`)
  return true
}

function isInPlace({ replica }: Node): boolean {
  const role = replica?.peer.role
  return role !== undefined && role.kind !== 'looking' && role.phase === 'broadcast'
}

/**
 * From the heal on: tells whether the core rightly stands still, because a configuration that it cannot decide alone was made by a leader outside of
 * it, whom it still heard, or by one that did not know yet who is gone.
 */
export function watchStandstill(world: World, core: readonly Node[], outsidersSpeak: boolean): () => boolean {
  const stuck = (): boolean => !core.every((node) => canDecide(node, core))
  let early = false
  world.after(NOTICED, null, () => {
    early = stuck()
  })
  return () => (outsidersSpeak || early) && stuck()
}

/** Is there a quorum in the core, as this one's log has it? */
function canDecide({ replica }: Node, core: readonly Node[]): boolean {
  const config = replica === null || replica === undefined ? null : configOf(replica.peer.history)
  return config === null || hasQuorum(config, (id) => core.some((one) => one.id === id))
}

export const highestEpoch = (nodes: readonly Node[]): number =>
  Math.max(0, ...nodes.map(({ options }) => options.disk.acceptedEpoch))

function stateOf(node: Node): string {
  const peer = node.replica?.peer
  if (peer === undefined) return `${node.id} down`
  const { role } = peer
  const doing = role.kind === 'looking' ? `round ${peer.round}${role.settling ? ', settling' : ''}` : role.phase
  const config = configOf(peer.history)
  const voters = `${config?.voters}${config?.old === null ? '' : ` joint ${config?.old}`}`
  return `${node.id} ${role.kind} (${doing}); epochs ${peer.acceptedEpoch}/${peer.currentEpoch}, last ${lastZxid(peer.history)}, durable ${peer.durable.zxid}, committed ${peer.committed}, applied ${node.server?.applied}, ${peer.pending.length} writes pending, links ${[...peer.links.keys()]}, voters ${voters}`
}
