import { BUILD } from '../base/build.ts'
import type { ReplicaState } from '../replica/api.ts'
import type { Counted } from './tcp-connection.ts'
import type { Traffic } from './traffic.ts'

const WORDS = ['ruok', 'srvr', 'stat', 'cons', 'mntr', 'conf', 'isro', 'envi'] as const
export type Word = (typeof WORDS)[number]
export const isWord = (text: string): text is Word => (WORDS as readonly string[]).includes(text)

/** Begins with the version of ZooKeeper whose client protocol is spoken: clients look there for what they may ask. */
const VERSION = `3.8.0-${BUILD.replace(' ', '-')}`

/** What the words tell about. */
export interface Report {
  readonly state: ReplicaState
  readonly connections: readonly Counted[]
  readonly traffic: Traffic
  readonly settings: Readonly<Record<string, string | number>>
}

/**
 * The answers to ZooKeeper's four-letter words, in its format. ZooKeeper: the package
 * server.command.
 */
export function answerWord(word: Word, report: Report): string {
  const { needsService, answer } = ANSWERS[word]
  if (needsService && !report.state.serving) return 'This ZooKeeper instance is not currently serving requests\n'
  return answer(report)
}

interface Answer {
  readonly needsService: boolean
  readonly answer: (report: Report) => string
}

const always = (answer: Answer['answer']): Answer => ({ needsService: false, answer })
const inService = (answer: Answer['answer']): Answer => ({ needsService: true, answer })

const ANSWERS: Readonly<Record<Word, Answer>> = {
  ruok: always(() => 'imok'),
  conf: always(({ settings }) => lines(Object.entries(settings).map(([name, value]) => `${name}=${value}`))),
  envi: always(() => lines(['Environment:', `zookeeper.version=${VERSION}`, `node.version=${process.version}`])),
  isro: always(({ state }) => (state.serving ? 'rw' : 'null')),
  srvr: inService((report) => lines([`Zookeeper version: ${VERSION}`, ...server(report)])),
  stat: inService((report) =>
    lines([`Zookeeper version: ${VERSION}`, 'Clients:', ...report.connections.map(brief), '', ...server(report)]),
  ),
  cons: inService(({ connections }) => `${lines(connections.map(long))}\n`),
  mntr: inService((report) => lines(Object.entries(figures(report)).map(([name, value]) => `zk_${name}\t${value}`))),
}

const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('')

function server({ state, connections, traffic }: Report): string[] {
  const { min, average, max } = shownLatency(traffic)
  return [
    `Latency min/avg/max: ${min}/${average}/${max}`,
    `Received: ${traffic.received}`,
    `Sent: ${traffic.sent}`,
    `Connections: ${connections.length}`,
    `Outstanding: ${sum(connections.map(({ outstanding }) => outstanding))}`,
    `Zxid: 0x${state.zxid.applied.toString(16)}`,
    `Mode: ${mode(state)}`,
    `Node count: ${state.server.znodes}`,
  ]
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)

/** As ZooKeeper shows them: whole milliseconds, and an average with a point. */
function shownLatency({ latency }: Traffic): Readonly<Record<'min' | 'average' | 'max', string>> {
  const { min, average, max } = latency
  const shown = String(Math.round(average * 10_000) / 10_000)
  return {
    min: String(Math.floor(min)),
    average: shown.includes('.') ? shown : `${shown}.0`,
    max: String(Math.floor(max)),
  }
}

/** A leader without others is a ZooKeeper `standalone`. */
function mode({ role, voters, links }: ReplicaState): string {
  if (role === 'leading') return voters.length === 1 && links.length === 0 ? 'standalone' : 'leader'
  return role === 'following' ? 'follower' : 'observer'
}

const brief = ({ address, received, sent, outstanding }: Counted): string =>
  ` /${address}[1](queued=${outstanding},recved=${received},sent=${sent})`

const long = (one: Counted): string =>
  `${brief(one).slice(0, -1)},sid=0x${one.session.toString(16)},est=${one.since},to=${one.timeout})`

const figures = ({ state, connections, traffic }: Report): Readonly<Record<string, string | number>> => ({
  version: VERSION,
  server_state: mode(state),
  num_alive_connections: connections.length,
  min_latency: shownLatency(traffic).min,
  avg_latency: shownLatency(traffic).average,
  max_latency: shownLatency(traffic).max,
  outstanding_requests: sum(connections.map(({ outstanding }) => outstanding)),
  packets_received: traffic.received,
  packets_sent: traffic.sent,
  znode_count: state.server.znodes,
  watch_count: state.server.watches,
  ephemerals_count: sum(state.server.sessions.map(({ ephemerals }) => ephemerals)),
  global_sessions: state.server.sessions.length,
  approximate_data_size: state.server.dataBytes,
  last_processed_zxid: `0x${state.zxid.applied.toString(16)}`,
  log_entries: state.storage.entries,
  log_bytes: state.storage.bytes ?? 0,
  learners: state.links.length,
  uptime: Math.round(process.uptime() * 1000),
})
