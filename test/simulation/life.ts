import type { EnsembleId, ReplicaId, SessionId } from '../../src/base/ids.ts'
import { makeZxid } from '../../src/base/zxid.ts'
import { Server } from '../../src/server/server.ts'
import { makeHistory } from '../../src/zab/history.ts'
import { foundingEntries, votersOf } from '../../src/zab/membership.ts'
import { Ambushes } from './ambush.ts'
import { Backwards } from './backwards.ts'
import { Blows } from './blows.ts'
import { checkBounds } from './bounds.ts'
import { demandAsked } from './builds.ts'
import { Checkers } from './checkers.ts'
import { Clients } from './clients.ts'
import { breakForGood, drawCore } from './core.ts'
import { type DiskState, emptyDisk } from './disk.ts'
import { scheduleFaults } from './faults.ts'
import { demandProgress, watchStandstill } from './finish.ts'
import { Forger } from './forger.ts'
import { Journal } from './history/journal.ts'
import { Network } from './network.ts'
import { Node } from './node.ts'
import { Occurrences } from './occurrences.ts'
import { Rare } from './rare.ts'
import { drawSwarm, type Swarm } from './swarm.ts'
import { Tape } from './tape.ts'
import { Applications } from './tasks/applications.ts'
import { Truth } from './truth.ts'
import { Violation } from './violation.ts'
import { World } from './world.ts'

const ENSEMBLE = '0123456789abcdef0123456789abcdef' as EnsembleId

export interface LifeReport {
  readonly seed: number
  readonly virtualMs: number
  readonly events: number
  readonly committed: number
  readonly trace: number
  readonly marks: ReadonlyMap<string, number>
  readonly failure: string | null
  readonly log: readonly string[]
  /** The faults that happened, by name and number. */
  readonly faults: readonly string[]
  readonly swarm: Swarm
}

export interface LifeOptions {
  /** Keep a readable trace. */
  readonly makeLog?: boolean
  /** `zab`: the smallest state machine, for volume. `tree`: the product's server with real clients. `tasks`: the task queue over it. `hostile`: one member's link lies. */
  readonly profile?: 'zab' | 'tree' | 'hostile' | 'tasks'
  /** Of all faults only these. */
  readonly only?: readonly string[]
  /** Another shape than the seed's. */
  readonly shape?: Partial<Swarm>
}

/** One life of an ensemble under a fault menu drawn from the seed: safety throughout, then heal a core and demand progress. */
export async function live(seed: number, options: LifeOptions = {}): Promise<LifeReport> {
  const world = new World(seed, seed % 2 === 1)
  const swarm = world.chance('swarm')
  const shape: Swarm = { ...drawSwarm(swarm, world.chance('pages')), ...options.shape }
  const { size, voters, duration, latencyMin, latencyMean, diskFaults, rates, sameBrowser } = shape
  const tree = options.profile === 'tree' || options.profile === 'tasks'
  // Clients write all the time: who comes by slow links needs as much of the log as is written meanwhile, or every snapshot comes too late.
  const historyEntriesMax = tree && latencyMean > 60 ? Math.max(shape.historyEntriesMax, 30) : shape.historyEntriesMax
  const network = new Network(world, latencyMin, latencyMean)

  const journal = new Journal(() => world.now)
  const truth = new Truth()
  const lines: string[] = []
  const say = (line: string): void => {
    if (options.makeLog === true) lines.push(`${String(world.now).padStart(6)} ${line}`)
  }
  const marks = new Map<string, number>()
  const count = (name: string): void => {
    marks.set(name, (marks.get(name) ?? 0) + 1)
  }
  const rare = new Rare(count)
  const disks: DiskState[] = []
  const checkers = new Checkers(
    () => disks,
    () => nodes.flatMap((node) => (node.replica === null ? [] : [node.replica.peer])),
  )
  const nodes: Node[] = []
  const forger =
    options.profile === 'hostile' && size > 1
      ? new Forger(world.chance('liar').int(2, size) as ReplicaId, world.chance('forger'))
      : null
  network.forger = forger
  /** Somebody who votes can lie about what it has: then only this much is promised, that nobody falls over it. */
  const liarVotes = (): boolean =>
    forger !== null &&
    nodes.some(({ replica, options: { disk } }) =>
      (replica?.peer.history ?? makeHistory(disk.base, disk.baseConfig, disk.entries)).configs.some(({ config }) =>
        votersOf(config).includes(forger.liar),
      ),
    )
  const join = (): Node => {
    const id = (nodes.length + 1) as ReplicaId
    const founding = nodes.length === 0 ? foundingEntries(ENSEMBLE, id, [makeZxid(0, 1), makeZxid(0, 2)]) : []
    const disk = emptyDisk(ENSEMBLE, id, founding)
    disks.push(disk)
    const node: Node = new Node({
      world,
      disk,
      diskFaults: {
        ...diskFaults,
        get failure() {
          return healed ? 0 : diskFaults.failure
        },
      },
      checkers,
      lies: id === forger?.liar,
      journal: tree ? journal : null,
      browser: sameBrowser ? 'one' : `b${id}`,
      voters,
      snapshotEvery: shape.snapshotEvery,
      historyEntriesMax,
      observersMax: shape.observersMax,
      deployedAt: shape.deployedAt,
      handoverAfterHidden: shape.handoverAfterHidden,
      lasting: shape.server && id === 2 && id !== forger?.liar,
      phone: world.chance('phones').is(0.2),
      onDisk: (kind) => ambushes.onDisk(node, kind),
      makeServer: () => (tree ? new Server({ changesKept: historyEntriesMax * 4 }) : new Tape()),
      truth: tree ? truth : null,
      marks,
      onBroken: (cause) => {
        broken ??= cause
      },
    })
    nodes.push(node)
    node.hidden = shape.hide > 0 && !node.options.lasting && world.chance('pages').is(0.5)
    say(`join ${id}`)
    node.start()
    return node
  }
  const alive = (): Node[] => nodes.filter((node) => node.alive)
  const noticed = (): number =>
    sameBrowser ? world.chance('net').int(20, 100) : world.chance('net').pick([20, 500, 3000, 9000])
  let healed = false
  let failure: string | null = null
  let broken: unknown = null
  const occurrences = new Occurrences(world, options.only === undefined ? null : new Set(options.only), () => healed)
  const blows = new Blows({ world, network, nodes, sameBrowser, say, noticed })
  const ambushes = new Ambushes(blows, (id) => nodes[id - 1], say)
  network.onSend = (from, to, messages) => {
    if (!ambushes.onSend(from, to, messages)) return false
    const node = nodes[from - 1]
    if (node !== undefined && !node.options.lies && node.replica !== null)
      for (const message of messages) checkers.sent(node.replica.peer, node.options.disk, message)
    return true
  }
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
  let number = 0n
  const next = (): SessionId => ++number as SessionId
  const writes = world.chance('writes')
  const writeOnce = (): void => {
    if (healed) return
    const node = writes.pick(nodes)
    for (let i = writes.pick([1, 1, 5]); i > 0; i--) if (!node.frozen) node.replica?.endSession(next())
    world.after(1 + writes.exp(1000 / rates.write), null, writeOnce)
  }

  join()
  for (let i = 1; i < size; i++) world.after(swarm.int(0, 4000), null, () => void join())
  dial()
  const timeouts = Math.max(latencyMean, diskFaults.latency) < 60 ? [2000, 6000] : [6000]
  const latency = (): number => network.latency()
  const clients =
    options.profile === 'tasks'
      ? new Applications(world, () => nodes, latency, journal, timeouts)
      : new Clients(world, () => nodes, latency, journal, timeouts, truth)
  if (tree) clients.start(swarm.int(1, 5))
  else writeOnce()
  occurrences.every('diverge', tree ? 0 : rates.diverge, (chance) => {
    const { server } = chance.pick(nodes)
    if (!(server instanceof Tape)) return
    checkers.diverged = true
    server.corrupt()
  })
  occurrences.every('remember', rates.backwards * 4, () => backwards.remember())
  occurrences.every('backwards', rates.backwards, () => backwards.strike())
  occurrences.every('hide', shape.hide, (chance) => blows.hide(chance.pick(nodes)))
  scheduleFaults(occurrences, rates, nodes, blows, ambushes)

  const watch = (): boolean => {
    if (broken !== null) throw broken
    if (clients.violation !== null) throw clients.violation
    for (const node of nodes) {
      if (node.options.lies && node.replica !== null) continue
      if (node.replica !== null) {
        if (forger !== null) checkBounds(node.replica.peer, size, liarVotes)
        checkers.afterEvent(node.replica.peer, node.options.disk)
        rare.look(node.replica.peer, node.options.disk)
      } else if (node.ended !== null && node.started) {
        say(`ended ${node.id}: ${node.ended}`)
        count(`ended-${node.ended.split(':')[0]}`)
        if (node.ended.startsWith('UpdateNeeded')) demandAsked(node, nodes)
        network.crashed(node.id, noticed)
        node.ended = null
        world.after(100, null, () => {
          if (!node.alive && !node.retired) node.start()
        })
      }
    }
    return false
  }

  /** Heals everybody, or a core, while all else stays broken for ever. Who must agree in the end. */
  const heal = (): Node[] => {
    for (let i = nodes.length; i < size; i++) join()
    const chance = world.chance('core')
    // Whoever went backwards counts again only when a quorum of others agrees: then all have to be there.
    const honest = nodes.filter(({ options }) => !options.lies)
    const core = rates.backwards === 0 && shape.core && forger === null ? drawCore(nodes, chance) : honest
    say(core.length < nodes.length ? `heal ${core.map(({ id }) => id)}, and nobody else` : 'heal')
    for (const node of nodes) {
      if (!core.includes(node)) {
        // Clients cannot tell a replica that is cut off from one that is slow.
        const how = tree ? 'dead' : chance.pick(['dead', 'frozen', 'mute', 'deaf', 'apart'] as const)
        say(`${node.id} is ${how} for good`)
        breakForGood(node, core, how, world, network, noticed)
        continue
      }
      if (node.frozen) node.thaw()
      if (!node.alive) node.start()
    }
    if (core.length < nodes.length) count(forger === null ? 'healed-a-core' : 'liar-shut-out')
    return core
  }

  /** Every waiter ends, and what clients were told holds. */
  const checkClients = async (standstill: () => boolean): Promise<void> => {
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
    // Where a word takes a third of a second, many steps take long, and so does it until everybody's patience fits the links.
    const patience = Math.max(120_000, latencyMean * 1000)
    await world.run(world.now + patience, () => watch() || ended !== 'waiting')
    if (ended === 'waiting' && standstill()) return void marks.set('core-without-a-quorum', 1)
    if (ended === 'waiting')
      throw new Violation('L3', `a client still waits ${patience / 1000} s after the heal ${clients.late}`)
    if (ended !== null) throw ended
    for (const [name, count] of Object.entries(clients.done))
      marks.set(`client-${name}`, (marks.get(`client-${name}`) ?? 0) + count)
  }

  try {
    await world.run(duration, watch)
    healed = true
    if (clients instanceof Applications) clients.calm()
    ambushes.disarm()
    blows.over = true
    network.heal()
    const core = heal()
    if (forger !== null) {
      if (forger.forged > 0) count(liarVotes() ? 'liar-voted' : 'liar-learned')
      for (const { replica } of core) {
        for (const [name, times] of Object.entries((await replica?.inspect())?.marks ?? {}))
          if (name === 'bad-peer') marks.set('forged-frame-refused', (marks.get('forged-frame-refused') ?? 0) + times)
      }
    }
    const outsidersSpeak = nodes.some((node) => !core.includes(node) && node.alive)
    const standstill = watchStandstill(world, core, outsidersSpeak)
    const end = { world, checkers, core, standstill, busy: tree, latency: latencyMean, next, watch }
    if (!(await demandProgress(end))) marks.set('core-without-a-quorum', 1)
    else if (tree) await checkClients(standstill)
  } catch (error) {
    const excused = error instanceof Violation && error.invariant !== 'I11' && liarVotes()
    if (excused) count(`liar-broke-${error.invariant}`)
    else failure = error instanceof Violation ? error.message : String((error as Error)?.stack ?? error)
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
    faults: occurrences.happened,
    swarm: shape,
  }
}
