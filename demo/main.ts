import { KeeperError } from '../src/index.ts'
import { Canvas } from './canvas.ts'
import { byId, onPress, saying } from './dom.ts'
import { showFailure } from './failure.ts'
import { Frames } from './frames.ts'
import { GossipChannel, type Status } from './gossip.ts'
import './handle.ts'
import { Handover } from './handover.ts'
import { InspectPanel } from './inspect.ts'
import { JobPanel } from './job.ts'
import { MembersPanel } from './members.ts'
import { letter } from './names.ts'
import { Narrator } from './narrator.ts'
import { Ring } from './ring.ts'
import { Roster } from './roster.ts'
import { followRuns, isRunning, startRun } from './run.ts'
import { type Place, Seat } from './seat.ts'
import { Story } from './story.ts'
import { TreePanel } from './tree.ts'
import { inWords } from './tree-words.ts'
import { ZnodePanel } from './znode.ts'

const MEMBERS_FOR_A_START = 3
/** Milliseconds that the job waits for three voters and for a frame to lead; then it starts all the same. */
const PATIENCE = 6000

/** The page that people see. `?frames=` says how many members it embeds (2), `?auto=0` that the job waits for its button. See also wires.ts. */
export function runPage(): void {
  const options = new URLSearchParams(location.search)
  const gossip = new GossipChannel()
  const frames = new Frames(byId('frames', HTMLElement))
  const narrator = new Narrator(byId('now', HTMLElement), byId('log', HTMLElement))
  let grown = 0
  const roster = new Roster(gossip, (change) => {
    story.roster(change, grown < MEMBERS_FOR_A_START)
    grown = Math.max(grown, roster.members.length)
    for (const { name } of change.went) job.gone(name)
    draw()
  })
  const story = new Story(narrator, roster)
  const canvas = new Canvas(byId('picture', HTMLCanvasElement))
  const job = new JobPanel(canvas, (end) => story.ended(end))
  const ring = new Ring(byId('ring', SVGSVGElement), byId('ring-hint', HTMLElement), roster)
  const members = new MembersPanel(byId('members', HTMLElement), roster, kill)
  const inspect = new InspectPanel(byId('inspect', HTMLDetailsElement), byId('inspect-body', HTMLElement), roster)
  const znode = new ZnodePanel((path) => tree.reveal(path))
  const tree = new TreePanel(
    byId('tree', HTMLElement),
    (path) => void znode.show(path),
    (path) => void znode.touched(path),
  )
  let view: Status | null = null
  let started = options.get('auto') === '0'
  let ready = 0
  const handover = new Handover()

  const seat = new Seat('page', gossip, {
    opened(place) {
      pill('connected', 'connected')
      znode.attach(place)
      const follow = [tree.attach(place), roster.attach(place), followRuns(place, job)]
      Promise.all(follow).catch(failed)
    },
    inspected(now, status) {
      view = status
      story.seen(status)
      inspect.show(now)
      draw()
      const { place } = seat
      if (place === null) return
      const here = roster.members.map(({ replica }) => replica)
      if (handover.isDue(status, frames.replicas, here)) {
        story.say('This page leads; it hands over to a frame, so that you can kill a leader and go on watching.')
        handover.ask(place, status.epoch).catch(failed)
      }
      startByItself(place, status)
    },
    state(change) {
      if (change.state === 'connected' || change.state === 'suspended') pill(change.state, change.state)
      story.state(change)
    },
    notice: ({ code, message }) => {
      if (code === 'NoQuorum' || code === 'EnsembleMismatch' || code === 'StorageFailed') story.say(message)
    },
    lost(retryIn) {
      view = null
      pill('lost', 'joining again')
      story.rejoining(retryIn)
      draw()
    },
    failed: showFailure,
  })

  function draw(): void {
    const own = seat.place?.replica ?? null
    const seen = own === null ? roster.latest : view
    if (own === null && seen !== null) story.seen(seen)
    ring.draw(seen, own)
    members.draw(seen, own, (name) => job.countOf(name))
    leaderButton.disabled = seen?.leader == null || !roster.has(seen.leader)
    memberButton.disabled = victims(seen).length === 0
    runButton.disabled = own === null
  }

  function pill(kind: string, words: string): void {
    const element = byId('state', HTMLElement)
    element.dataset['kind'] = kind
    element.textContent = words
  }

  /** Followers and observers, this page's own last: to lose it is the least to look at. */
  function victims(seen: Status | null): number[] {
    const own = seat.place?.replica ?? null
    const others = roster.members.map(({ replica }) => replica).filter((replica) => replica !== seen?.leader)
    return [...others.filter((replica) => replica !== own), ...others.filter((replica) => replica === own)]
  }

  function kill(replica: number): void {
    gossip.say({ kind: 'kill', replica })
  }

  function startByItself(place: Place, { voters, leader }: Status): void {
    if (started || roster.members.length < MEMBERS_FOR_A_START) return
    ready ||= performance.now()
    const settled = voters.length >= MEMBERS_FOR_A_START && leader !== null && !handover.underWay
    if (!settled && performance.now() - ready < PATIENCE) return
    started = true
    isRunning(place)
      .then(async (running) => {
        if (running) story.say('A job from before is not finished; the members go on with it.')
        else await start()
      })
      .catch(failed)
  }

  async function start(): Promise<void> {
    const { place } = seat
    if (place === null) throw new Error('Wait until this page has joined the ensemble.')
    const samples = Number(byId('samples', HTMLSelectElement).value)
    story.say(`A new job: 64 tiles go into the queue for ${roster.members.length} members.`)
    await startRun(place, samples)
  }

  function failed(error: unknown): void {
    story.say(error instanceof KeeperError ? inWords(error) : saying(error))
  }

  gossip.listen((message) => {
    job.heard(message)
    // Without a replica of its own, this page sees the ensemble by what the others say.
    if (message.kind === 'status' && seat.place === null) draw()
    if (message.kind === 'kill') {
      const own = seat.place?.replica === message.replica
      if (!own && !frames.has(message.replica)) return
      // Said before it is done, since a page that kills itself hears no more of the ensemble.
      gossip.say({ kind: 'killed', replica: message.replica })
      if (own) seat.kill()
      else frames.kill(message.replica)
    } else if (message.kind === 'killed') {
      const name = roster.nameOf(message.replica)
      story.killed(message.replica, name === null ? 0 : job.inHand(name), seat.place?.replica === message.replica)
      if (name !== null) job.gone(name)
      roster.drop(message.replica)
      draw()
    }
  })

  const press = (id: string, act: () => Promise<void> | void): HTMLButtonElement => {
    const button = byId(id, HTMLButtonElement)
    onPress(button, act, failed)
    return button
  }
  const runButton = press('run', start)
  const leaderButton = press('kill-leader', () => {
    const leader = (view ?? roster.latest)?.leader
    if (leader != null) kill(leader)
  })
  const memberButton = press('kill-member', () => {
    const [victim] = victims(view ?? roster.latest)
    if (victim !== undefined) kill(victim)
  })
  press('add', () => {
    frames.add()
    story.say('A new frame opens, with a worker and a database of its own…')
  })
  press('tab', () => {
    if (open('?frames=0&auto=0', '_blank') === null)
      throw new Error('The browser blocked the new tab: allow it, or open this address in another one.')
  })
  byId('tinted', HTMLInputElement).addEventListener('change', ({ target }) => {
    canvas.tinted = (target as HTMLInputElement).checked
  })
  byId('samples', HTMLSelectElement).value = options.get('samples') ?? '2'

  globalThis.tabkeeperDemo = {
    image: () => canvas.image,
    png: () => canvas.png(),
    state: () => ({
      name: seat.place === null ? null : letter(seat.place.name),
      leader: view?.leader == null ? null : roster.letterOf(view.leader),
      voters: view?.voters.length ?? 0,
      members: roster.members.length,
      run: job.run?.id ?? null,
      complete: job.complete,
      makers: job.makers,
    }),
    start,
  }

  pill('forming', 'forming')
  draw()
  void seat.run()
  const embedded = Number(options.get('frames') ?? 2)
  for (let i = 0; i < embedded; i++) frames.add()
}
