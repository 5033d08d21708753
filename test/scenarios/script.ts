import type { EnsembleId, ReplicaId } from '../../src/base/ids.ts'
import { makeZxid, type Zxid } from '../../src/base/zxid.ts'
import { PEER_VERSION_MAX } from '../../src/transport/codec.ts'
import type { Entry } from '../../src/zab/entry.ts'
import { encodeConfig, encodeFormat, FORMAT_VERSION } from '../../src/zab/membership.ts'
import { forged, nonceBetween } from './forge.ts'
import { ENSEMBLE, key, Stage } from './stage.ts'

/**
 * Plays a scenario and returns it with the traces that it really has: comments and commands as they stand, then `----` and one line
 * per order. Equal to the file if nothing has changed.
 */
export function play(script: string): string {
  const stage = new Stage()
  const out: string[] = []
  for (const block of script.trimEnd().split(/\n\s*\n/)) {
    const [said = ''] = block.split(/^----$/m)
    out.push(said.trimEnd())
    const commands = said.split('\n').filter((one) => one.trim() !== '' && !one.startsWith('#'))
    if (commands.length > 0) {
      for (const command of commands) run(stage, command.trim())
      out.push('----', ...(stage.lines.length > 0 ? folded(stage.lines.splice(0)) : ['(nothing)']))
    }
    out.push('')
  }
  return out.join('\n')
}

/** So many voters at rest, each linked to each. */
export function founded(size: number): Stage {
  const stage = new Stage()
  const who = Array.from({ length: size }, (_, i) => i + 1).join(' ')
  for (const command of [`peers ${who}`, 'link all', 'run 1000ms']) run(stage, command)
  return stage
}

/** What repeats itself is told once. */
function folded(lines: readonly string[]): string[] {
  const out: string[] = []
  let times = 1
  for (const [i, line] of lines.entries()) {
    if (line === lines[i + 1]) times++
    else {
      out.push(times > 1 ? `${line} (${times} times)` : line)
      times = 1
    }
  }
  return out
}

/** The first comment of a scenario. */
export const titleOf = (script: string): string => /^# (.*)$/m.exec(script)?.[1] ?? 'untitled'

function run(stage: Stage, command: string): void {
  if (command.startsWith('quietly ')) {
    run(stage, command.slice('quietly '.length))
    stage.lines.length = 0
    return
  }
  const [name = '', ...words] = command.match(/"[^"]*"|\S+/g) ?? []
  const options = new Map(words.flatMap((word) => (/^\w+=/.test(word) ? [split(word)] : [])))
  const rest = words.filter((word) => !/^\w+=/.test(word))
  const does = COMMANDS[name]
  if (does === undefined) throw new Error(`there is no command "${name}" (in "${command}")`)
  does(stage, rest, options)
}

const split = (word: string): [string, string] => {
  const at = word.indexOf('=')
  return [word.slice(0, at), word.slice(at + 1)]
}

type Command = (stage: Stage, words: readonly string[], options: ReadonlyMap<string, string>) => void

const ALL = Number.POSITIVE_INFINITY
const id = (word: string | undefined): ReplicaId => {
  if (word === undefined || !/^\d+$/.test(word)) throw new Error(`"${word}" is no peer`)
  return Number(word) as ReplicaId
}
const ids = (word: string): ReplicaId[] => word.split(',').map(id)
const count = (word: string | undefined): number => (word === undefined || word === 'all' ? ALL : Number(word))
const milliseconds = (word: string | undefined): number => Number(/^(\d+)ms$/.exec(word ?? '')?.[1] ?? Number.NaN)
const text = (word: string | undefined): Uint8Array => new TextEncoder().encode((word ?? '').replaceAll('"', ''))

const COMMANDS: Readonly<Record<string, Command>> = {
  /** Makes peers with the same disk: `voters` (default: all of them), `log`, `accepted`, `current`, `target`, `history`, `room`, `format`, `version`; `empty`: a joiner; `adopted`: run for a dead tab; `phone`: on a phone. */
  peers: (stage, words, options) => {
    const who = words.filter((word) => /^\d/.test(word)).map(id)
    const voters = options.has('voters') ? ids(options.get('voters') as string) : who
    const entries = words.includes('empty') ? [] : [...founding(voters), ...log(options.get('log'))]
    const last = entries.at(-1)?.zxid ?? (0 as Zxid)
    const current = Number(options.get('current') ?? Math.floor(last / 2 ** 32))
    for (const one of who) {
      const actor = stage.add(
        {
          id: one,
          target: Number(options.get('target') ?? voters.length),
          format: Number(options.get('format') ?? 1),
          historyEntriesMax: Number(options.get('history') ?? 1000),
          adopted: words.includes('adopted'),
          phone: words.includes('phone'),
          observersMax: Number(options.get('room') ?? 8),
          version: Number(options.get('version') ?? PEER_VERSION_MAX),
        },
        entries,
        { accepted: Number(options.get('accepted') ?? current), current },
      )
      actor.disk.committed = options.has('committed') ? zxid(options.get('committed') as string) : last
      stage.start(actor)
    }
  },
  /** `skip 2:fffffffd`: so many transactions later, all of them delivered everywhere and in snapshots. */
  skip: (stage, words) => stage.skip(zxid(words[0] ?? '')),
  /** A link opens: `link 1 2`, or among all: `link all`. */
  link: (stage, words) => {
    const who = words[0] === 'all' ? [...stage.actors.keys()] : words.map(id)
    for (const [i, a] of who.entries()) {
      for (const b of who.slice(i + 1)) {
        if (stage.actor(a).peer !== null && stage.actor(b).peer !== null) stage.open(a, b)
      }
    }
  },
  close: (stage, words) => stage.close(id(words[0]), id(words[1]), 'closed'),
  /** Nothing arrives between the two any more; the link stays open. `cut 1->2`: one way. */
  cut: (stage, words) => {
    for (const [from, to] of ways(words)) stage.cuts.add(key(from, to))
  },
  heal: (stage) => stage.cuts.clear(),
  tick: (stage, words) => stage.tick(milliseconds(words[0])),
  /** `deliver 1->2 [n]`: what is on its way, or the first n messages of it, in one turn. */
  deliver: (stage, words) => {
    const [[from, to] = []] = ways(words.slice(0, 1))
    if (from === undefined || to === undefined) throw new Error('deliver from->to')
    if (stage.deliver(from, to, count(words[1])) === 0) throw new Error(`nothing is on its way ${from}→${to}`)
  },
  /** `forge 1->2 commit zxid=9:9`: 1 sends what it should not; what is not said is as it should be. */
  forge: (stage, words, options) => {
    const [[from, to] = []] = ways(words.slice(0, 1))
    if (from === undefined || to === undefined) throw new Error('forge from->to kind')
    const nonce = nonceBetween(stage.actor(to).peer, from)
    stage.forge(from, to, forged(words[1] ?? '', options, nonce, { zxid, log }))
    stage.deliver(from, to, 1)
  },
  /** `garble 1->2 proposal entries=… [at=n..m to=b]`: the same, but bytes n to m are others, or the last is missing. */
  garble: (stage, words, options) => {
    const [[from, to] = []] = ways(words.slice(0, 1))
    if (from === undefined || to === undefined) throw new Error('garble from->to kind')
    const said = new Map([...options].filter(([name]) => name !== 'at' && name !== 'to'))
    const bytes = forged(words[1] ?? '', said, nonceBetween(stage.actor(to).peer, from), { zxid, log })
    const [at, last = at] = options.get('at')?.split('..').map(Number) ?? []
    if (at !== undefined) bytes.fill(Number(options.get('to')), at, (last ?? at) + 1)
    stage.forge(from, to, at === undefined ? bytes.subarray(0, -1) : bytes)
    stage.deliver(from, to, 1)
  },
  /** `stored 2 [n]`: issued writes reach the disk, in order. */
  stored: (stage, words) => {
    if (stage.store(stage.actor(id(words[0])), count(words[1])) === 0) throw new Error('nothing to store')
  },
  request: (stage, words) => {
    stage.turn(stage.actor(id(words[0])), [{ kind: 'requested', requests: words.slice(1).map(text) }])
  },
  /** `flood 3 1000 [bytes=n]`: so many requests in one turn. */
  flood: (stage, words, options) => {
    const size = Number(options.get('bytes') ?? 1)
    const requests = Array.from({ length: Number(words[1]) }, () => new Uint8Array(size).fill(120))
    stage.turn(stage.actor(id(words[0])), [{ kind: 'requested', requests }])
  },
  sync: (stage, words) => {
    stage.turn(stage.actor(id(words[0])), [{ kind: 'syncRequested', tag: Number(words[1]) }])
  },
  stepdown: (stage, words) => {
    stage.turn(stage.actor(id(words[0])), [{ kind: 'stepDownRequested', reason: 'the page closes' }])
  },
  /** `hide 1`, `reveal 1`: the page of 1 is hidden, and seen again. */
  hide: (stage, words) => {
    for (const word of words) stage.turn(stage.actor(id(word)), [{ kind: 'visibilityChanged', hidden: true }])
  },
  reveal: (stage, words) => {
    for (const word of words) stage.turn(stage.actor(id(word)), [{ kind: 'visibilityChanged', hidden: false }])
  },
  reconfig: (stage, words, options) => {
    const voters = ids(options.get('voters') ?? '')
    stage.turn(stage.actor(id(words[0])), [{ kind: 'reconfigRequested', tag: Number(options.get('tag') ?? 1), voters }])
  },
  /** `gone 1 3 died`: 1 hears that 3 is surely gone. */
  gone: (stage, words) => {
    stage.turn(stage.actor(id(words[0])), [{ kind: 'peerGone', peer: id(words[1]), reason: words[2] ?? 'died' }])
  },
  /** `crash 1 [keep=n]`: the first n issued writes are on the disk (default none), the rest is not; everybody's link to it closes. */
  crash: (stage, words, options) => stage.crash(stage.actor(id(words[0])), Number(options.get('keep') ?? 0)),
  /** `rollback 3 1:5 [accepted=n] [current=n] [torn]`: the disk of a crashed peer ends at 1:5 again; `torn`: it can tell. */
  rollback: (stage, words, options) => {
    const { disk } = stage.actor(id(words[0]))
    const to = zxid(words[1] ?? '')
    disk.entries = disk.entries.filter((one) => one.zxid <= to)
    disk.committed = Math.min(disk.committed, to) as Zxid
    disk.acceptedEpoch = Number(options.get('accepted') ?? disk.acceptedEpoch)
    disk.currentEpoch = Number(options.get('current') ?? disk.currentEpoch)
    disk.demoted = words.includes('torn')
  },
  /** `restart 1 [format=n]`: perhaps in a later build. */
  restart: (stage, words, options) => {
    for (const word of words) {
      const actor = stage.actor(id(word))
      actor.format = Number(options.get('format') ?? actor.format)
      stage.start(actor)
    }
  },
  /** `corrupt 2 "set b"`: 2 has applied this in place of what it applied last. */
  corrupt: (stage, words) => {
    const { applied } = stage.actor(id(words[0]))
    applied.splice(-1, 1, (words[1] ?? '').replaceAll('"', ''))
  },
  /** `digest 3`: the host of 3 looks at its tree. */
  digest: (stage, words) => stage.digest(stage.actor(id(words[0]))),
  freeze: (stage, words) => {
    stage.actor(id(words[0])).frozen = { since: stage.now, facts: [] }
  },
  thaw: (stage, words) => stage.thaw(stage.actor(id(words[0]))),
  diskfull: (stage, words) => {
    stage.turn(stage.actor(id(words[0])), [{ kind: 'storeFailed', reason: 'the disk is full' }])
  },
  /** Messages and disks until nothing moves; time stands still. */
  settle: (stage) => stage.settle(),
  /** `run 2000ms`: time passes in ticks of 50 ms, and everything settles in between. Heartbeats are not shown. */
  run: (stage, words) => {
    stage.heartbeats = false
    stage.settle()
    for (let left = milliseconds(words[0]); left > 0; left -= 50) {
      stage.tick(50)
      stage.settle()
    }
    stage.heartbeats = true
  },
  show: (stage, words) => {
    stage.lines.push(...stage.states(words.map(id)))
  },
}

/** `1->2` is one way, `1 2` both. */
function ways(words: readonly string[]): [ReplicaId, ReplicaId][] {
  const arrow = words[0]?.split('->') ?? []
  if (arrow.length === 2) return [[id(arrow[0]), id(arrow[1])]]
  const [a, b] = [id(words[0]), id(words[1])]
  return [
    [a, b],
    [b, a],
  ]
}

const founding = (voters: readonly ReplicaId[]): Entry[] => [
  { zxid: makeZxid(0, 1), kind: 'config', bytes: encodeConfig({ ensemble: ENSEMBLE, voters, old: null }) },
  { zxid: makeZxid(0, 2), kind: 'format', bytes: encodeFormat(FORMAT_VERSION) },
]

function zxid(word: string): Zxid {
  const [, epoch, counter] = /^(\d+):([\da-f]+)$/.exec(word) ?? []
  if (epoch === undefined || counter === undefined) throw new Error(`"${word}" is no zxid`)
  return makeZxid(Number(epoch), Number.parseInt(counter, 16))
}

/** `1:1..1:3,2:1=config(1,2,3<-1)`: txns by their zxid, and records of configuration. */
function log(words: string | undefined): Entry[] {
  const items = words?.match(/[^,(]+(\([^)]*\))?/g) ?? []
  return items.flatMap((item): Entry[] => {
    const [at = '', record] = item.split('=')
    const [from = '', to = from] = at.split('..')
    if (record === 'nameless') {
      const config = { ensemble: '' as EnsembleId, voters: ids('1'), old: null }
      return [{ zxid: zxid(from), kind: 'config', bytes: encodeConfig(config) }]
    }
    if (record === 'broken') return [{ zxid: zxid(from), kind: 'config', bytes: new Uint8Array(3) }]
    const [, version] = /^format\((\d+)\)$/.exec(record ?? '') ?? []
    if (version !== undefined) return [{ zxid: zxid(from), kind: 'format', bytes: encodeFormat(Number(version)) }]
    if (record !== undefined) {
      const [, voters = '', , old] = /^config\(([\d,]+)(<-([\d,]+))?\)$/.exec(record) ?? []
      const config = { ensemble: ENSEMBLE, voters: ids(voters), old: old === undefined ? null : ids(old) }
      return [{ zxid: zxid(from), kind: 'config', bytes: encodeConfig(config) }]
    }
    const entries: Entry[] = []
    for (let one: number = zxid(from); one <= zxid(to); one++) {
      const name = `${Math.floor(one / 2 ** 32)}:${one % 2 ** 32}`
      entries.push({ zxid: one as Zxid, kind: 'txn', bytes: text(`set ${name}`) })
    }
    return entries
  })
}
