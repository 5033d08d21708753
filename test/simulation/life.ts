import type { EnsembleId, ReplicaId, SessionId } from '../../src/base/ids.ts'
import { makeZxid } from '../../src/base/zxid.ts'
import { Server } from '../../src/server/server.ts'
import { configOf, lastZxid } from '../../src/zab/history.ts'
import { foundingEntries } from '../../src/zab/membership.ts'
import { Backwards } from './backwards.ts'
import { Checkers } from './checkers.ts'
import { Clients } from './clients.ts'
import { type DiskState, emptyDisk } from './disk.ts'
import { scheduleFaults } from './faults.ts'
import { Journal } from './history/journal.ts'
import { Network } from './network.ts'
import { Node } from './node.ts'
import { drawSwarm } from './swarm.ts'
import { Tape } from './tape.ts'
import { Violation } from './violation.ts'
import { World } from './world.ts'

const ENSEMBLE = '0123456789abcdef0123456789abcdef' as EnsembleId

/** A healed ensemble settles on a leader; it does not elect for ever. */
const EPOCHS_MAX = 20

const leads = ({ replica }: Node): boolean =>
  replica?.peer.role.kind === 'leading' && replica.peer.role.phase === 'broadcast'

export interface LifeReport {
  readonly seed: number
  readonly virtualMs: number
  readonly events: number
  readonly committed: number
  readonly trace: number
  readonly marks: ReadonlyMap<string, number>
  readonly failure: string | null
  readonly log: readonly string[]
}

/** One life of an ensemble under a fault menu drawn from the seed: safety throughout, then heal and demand progress. */
export interface LifeOptions {
  /** Keep a readable trace. */
  readonly makeLog?: boolean
  /** `zab`: the smallest state machine, for volume. `tree`: the product's server with real clients. */
  readonly profile?: 'zab' | 'tree'
}

export async function live(seed: number, options: LifeOptions = {}): Promise<LifeReport> {
  const world = new World(seed, seed % 2 === 1)
  const swarm = world.chance('swarm')
  const {
    size,
    voters,
    duration,
    latencyMin,
    latencyMean,
    diskFaults,
    rates,
    snapshotEvery,
    historyEntriesMax,
    sameBrowser,
  } = drawSwarm(swarm)
  const network = new Network(world, latencyMin, latencyMean)

  const tree = options.profile === 'tree'
  const journal = new Journal(() => world.now)
  const lines: string[] = []
  const say = (line: string): void => {
    if (options.makeLog === true) lines.push(`${String(world.now).padStart(6)} ${line}`)
  }
  const marks = new Map<string, number>()
  const disks: DiskState[] = []
  const checkers = new Checkers(
    () => disks,
    () => nodes.flatMap((node) => (node.replica === null ? [] : [node.replica.peer])),
  )
  network.onsend = (from, message) => {
    const { replica, options } = from as Node
    if (replica !== null) checkers.sent(replica.peer, options.disk, message)
  }
  const nodes: Node[] = []
  const join = (): Node => {
    const id = (nodes.length + 1) as ReplicaId
    const founding = nodes.length === 0 ? foundingEntries(ENSEMBLE, id, [makeZxid(0, 1), makeZxid(0, 2)]) : []
    const disk = emptyDisk(ENSEMBLE, id, founding)
    disks.push(disk)
    const node = new Node({
      world,
      disk,
      diskFaults: {
        ...diskFaults,
        get failure() {
          return healed ? 0 : diskFaults.failure
        },
      },
      checkers,
      journal: tree ? journal : null,
      browser: sameBrowser ? 'one' : `b${id}`,
      voters,
      snapshotEvery,
      historyEntriesMax,
      makeServer: () => (tree ? new Server() : new Tape()),
      marks,
      onBroken: (cause) => {
        broken ??= cause
      },
    })
    nodes.push(node)
    say(`join ${id}`)
    node.start()
    return node
  }
  const alive = (): Node[] => nodes.filter((node) => node.alive)
  const noticed = (): number =>
    sameBrowser ? world.chance('net').int(20, 100) : world.chance('net').pick([20, 500, 3000, 9000])
  const faults = world.chance('faults')
  let healed = false
  let failure: string | null = null
  let broken: unknown = null

  const backwards = new Backwards({ world, network, nodes, chance: world.chance('backwards'), say, noticed })
  // The mesh: whoever is not linked dials again after a while.
  const dial = (): void => {
    backwards.takeBack()
    const there = alive()
    for (let i = 0; i < there.length; i++) {
      for (let j = i + 1; j < there.length; j++) {
        const [a, b] = [there[i] as Node, there[j] as Node]
        if (
          network.connected(a.id, b.id) ||
          network.isCut(a.id, b.id) ||
          network.isCut(b.id, a.id) ||
          !backwards.mayMeet(a, b) ||
          a.frozen ||
          b.frozen
        )
          continue
        network.connect(a, b, (station, link) => (station as Node).linkOpened(link))
      }
    }
    world.after(world.chance('mesh').int(50, 300), null, dial)
  }
  const every = (perSecond: number, what: () => void): void => {
    if (perSecond === 0) return
    const again = (): void => {
      if (healed) return
      what()
      world.after(1 + faults.exp(1000 / perSecond), null, again)
    }
    world.after(faults.exp(1000 / perSecond), null, again)
  }
  let number = 0n
  const writeOnce = (): void => {
    const there = alive().filter((node) => !node.frozen)
    if (there.length === 0) return
    const node = faults.pick(there)
    for (let i = faults.pick([1, 1, 5]); i > 0; i--) node.replica?.endSession(++number as SessionId)
  }

  join()
  for (let i = 1; i < size; i++) world.after(swarm.int(0, 4000), null, () => void join())
  dial()
  const clients = new Clients(
    world,
    () => nodes,
    () => network.latency(),
    journal,
    Math.max(latencyMean, diskFaults.latency) < 60 ? [2000, 6000] : [6000],
  )
  if (tree) clients.start(swarm.int(1, 5))
  else every(rates.write, writeOnce)
  every(rates.backwards * 4, () => backwards.remember())
  every(rates.backwards, () => backwards.strike())
  scheduleFaults({ world, network, nodes, rates, every, say, noticed, sameBrowser })

  const watch = (): boolean => {
    if (broken !== null) throw broken
    if (clients.violation !== null) throw clients.violation
    for (const node of nodes) {
      if (node.replica !== null) checkers.afterEvent(node.replica.peer, node.options.disk)
      else if (node.ended !== null && node.started) {
        say(`ended ${node.id}: ${node.ended}`)
        network.crashed(node.id, noticed)
        node.ended = null
        world.after(100, null, () => {
          if (!node.alive) node.start()
        })
      }
    }
    return false
  }

  /** Every waiter ends, and what clients were told holds. */
  const checkClients = async (): Promise<void> => {
    let ended: unknown = 'waiting'
    const end = (value: unknown): void => {
      ended = value
    }
    clients
      .stop()
      .then(() => clients.check())
      .then(
        () => end(null),
        (error: unknown) => end(error),
      )
    await world.run(world.now + 120_000, () => watch() || ended !== 'waiting')
    if (ended === 'waiting') throw new Violation('L3', 'a client still waits 120 s after the heal')
    if (ended !== null) throw ended
    for (const [name, count] of Object.entries(clients.done))
      marks.set(`client-${name}`, (marks.get(`client-${name}`) ?? 0) + count)
  }

  try {
    await world.run(duration, watch)
    say('heal')
    healed = true
    network.heal()
    for (const node of nodes) {
      if (node.frozen) node.thaw()
      if (!node.alive) node.start()
    }
    const target = checkers.committed
    const epochs = disks.map((disk) => disk.acceptedEpoch)
    let wroteAt = 0
    const deadline = world.now + 60_000
    const converged = (): boolean => {
      watch()
      const there = nodes.map((node) => node.replica?.peer)
      const leaders = there.filter((peer) => peer?.role.kind === 'leading' && peer.role.phase === 'broadcast')
      if (leaders.length !== 1 || nodes.length < size) return false
      const leader = leaders[0]
      if (
        !there.every(
          (peer) =>
            peer !== undefined &&
            (peer === leader || (peer.role.kind === 'following' && peer.role.phase === 'broadcast')),
        )
      ) {
        return false
      }
      // A request may be lost with a role that had ended in a frozen tab: ask again after a while.
      if (!tree && world.now - wroteAt > 3000) {
        wroteAt = world.now
        for (const node of nodes) node.replica?.endSession(++number as SessionId)
        return false
      }
      const applied = new Set(nodes.map((node) => node.server?.applied))
      return applied.size === 1 && (tree || checkers.committed >= target + nodes.length)
    }
    await world.run(deadline, converged)
    if (!converged()) {
      const state = nodes.map((node) => {
        const peer = node.replica?.peer
        return peer === undefined
          ? `${node.id} down`
          : `${node.id} ${peer.role.kind} ${peer.role.kind === 'looking' ? `r${peer.round} settling ${peer.role.settling}` : peer.role.phase} acc ${peer.acceptedEpoch} cur ${peer.currentEpoch} last ${lastZxid(peer.history)} durable ${peer.durable.zxid} committed ${peer.committed} applied ${node.server?.applied} pending ${peer.pending.length} links ${[...peer.links.keys()]} voters ${configOf(peer.history)?.voters}/${configOf(peer.history)?.old}`
      })
      throw new Violation(
        nodes.some(leads) ? 'L2' : 'L1',
        `no convergence within 60 s (now ${world.now}, ${checkers.committed} of ${target + nodes.length}):\n  ${state.join('\n  ')}`,
      )
    }
    if (tree) await checkClients()
    const raised = Math.max(...disks.map((disk) => disk.acceptedEpoch)) - Math.max(...epochs)
    if (raised > EPOCHS_MAX) throw new Violation('L5', `${raised} epochs were begun after the heal`)
  } catch (error) {
    failure = error instanceof Violation ? error.message : String((error as Error)?.stack ?? error)
  }
  for (const node of nodes) {
    const state = await node.replica?.inspect()
    for (const [name, count] of Object.entries(state?.marks ?? {})) marks.set(name, (marks.get(name) ?? 0) + count)
  }
  return {
    seed,
    virtualMs: world.now,
    events: world.events,
    committed: checkers.committed,
    trace: world.trace,
    marks,
    failure,
    log: lines,
  }
}
