import type { SessionId } from '../../src/base/ids.ts'
import type { Connector, FramePipe } from '../../src/client/frame-pipe.ts'
import { splitPackets } from '../../src/jute/packets.ts'
import { decodeConnectResponse } from '../../src/jute/protocol.ts'
import { Gateway } from '../../src/node/gateway.ts'
import { digestId } from '../../src/tree/acl.ts'
import { differences, type Outcome } from '../conformance/compare.ts'
import { type Host, play } from '../conformance/player.ts'
import { type Json, loadScenarios, type Scenario } from '../conformance/scenario.ts'
import type { Report } from '../report.ts'
import { connected, overTcp } from './clients.ts'
import { folder, HOST, startApache } from './servers.ts'

/** Steps that need a hand on the server's clock, which no client has. */
const INSIDE = new Set(['sleep', 'checkContainers'])
const isPlayable = ({ steps }: Scenario): boolean => !steps.some(({ op }) => INSIDE.has(op))
/** Of the recorded random scenarios ZooKeeper itself plays a few again: each needs a server of its own. */
const RANDOM_ON_APACHE = 12
const PATIENCE_MS = 30_000

/** The recorded scenarios, played by our client against real servers over TCP. */
export async function vectors(report: Report): Promise<void> {
  const scenarios = loadScenarios(new URL('../conformance/vectors', import.meta.url).pathname).filter(isPlayable)
  await report.check(`all ${scenarios.length} playable vectors on a gateway`, () => each(scenarios, 1, onGateway))
  const byHand = scenarios.filter(({ name }) => !name.startsWith('random-'))
  const random = scenarios.filter(({ name }) => name.startsWith('random-')).slice(0, RANDOM_ON_APACHE)
  const some = [...byHand, ...random]
  await report.check(`${some.length} vectors on ZooKeeper, by our client`, () => each(some, 2, onApache))
}

async function each(scenarios: readonly Scenario[], lanes: number, run: (scenario: Scenario) => Promise<string[]>) {
  const waiting = [...scenarios]
  const found: string[] = []
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const different = await run(next)
      if (different.length > 0) found.push(`${next.name}: ${different.join('\n  ')}`)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  if (found.length > 0) throw new Error(`${found.length} differ\n${found.join('\n')}`)
}

async function onGateway(scenario: Scenario): Promise<string[]> {
  const gateway = await Gateway.start({
    listen: { host: HOST, port: 0 },
    data: folder(),
    superDigest: digestId('super:secret'),
    enforceQuota: scenario.server?.enforceQuota ?? false,
  })
  try {
    const { finalTree } = scenario
    return await played({ ...scenario, finalTree: finalTree.filter(isNoConfig) }, gateway.address.port, sinceFounding)
  } finally {
    await gateway.close()
  }
}

async function onApache(scenario: Scenario): Promise<string[]> {
  const server = await startApache({ enforceQuota: scenario.server?.enforceQuota ?? false })
  try {
    return await played(scenario, server.port)
  } finally {
    await server.kill()
  }
}

/** An ensemble's members stand in its configuration; a standalone ZooKeeper, as recorded, has none. */
const isNoConfig = (node: Json): boolean => (node as { readonly path: string }).path !== '/zookeeper/config'

const isConfigStat = (stat: Json | undefined): boolean =>
  typeof stat === 'object' && stat !== null && 'aversion' in stat && stat['aversion'] === -1

/** Without what the founding wrote, in epoch 0. */
function sinceFounding({ steps, finalTree }: Outcome): Outcome {
  const shift = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(shift)
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(([key, inner]: [string, Json]): [string, Json] =>
      /^[cmp]zxid$/.test(key) ? [key, (inner as number) < 2 ** 32 ? 0 : inner] : [key, shift(inner)],
    )
    const shifted = Object.fromEntries(entries)
    // Only the configuration's node has never had an ACL version. It was written at the founding.
    if (shifted['aversion'] === -1) return { ...shifted, version: 0, dataLength: 0 }
    return isConfigStat(shifted['stat']) && 'data' in shifted ? { ...shifted, data: '' } : shifted
  }
  return {
    steps: steps.map(({ result, events }) => ({ result: shift(result), events })),
    finalTree: finalTree.filter(isNoConfig).map(shift),
  }
}

async function played(
  scenario: Scenario,
  port: number,
  seen: (outcome: Outcome) => Outcome = (outcome) => outcome,
): Promise<string[]> {
  const outside = (): never => {
    throw new Error('no client can do this')
  }
  let over = false
  const { connect, end } = overheard(overTcp(port))
  const host: Host = {
    // The scenario's clients try again without a pause, also when it is over.
    connect: () => (over ? new Promise(() => undefined) : connect()),
    advance: outside,
    expire: end,
    reap: outside,
  }
  let late: NodeJS.Timeout | undefined
  const tooLong = new Promise<string[]>((resolve) => {
    late = setTimeout(() => resolve([`not finished after ${PATIENCE_MS} ms`]), PATIENCE_MS)
  })
  try {
    return await Promise.race([play(scenario, host).then((outcome) => differences(scenario, seen(outcome))), tooLong])
  } finally {
    over = true
    clearTimeout(late)
  }
}

/** Hears the passwords of sessions: whoever knows one can end the session, with the very txn that its expiry would make. */
function overheard(connector: Connector): { readonly connect: Connector; end(session: SessionId): Promise<void> } {
  const passwords = new Map<SessionId, Uint8Array>()
  const connect: Connector = async () => {
    const pipe = await connector()
    const heard: FramePipe = {
      send: (frame) => pipe.send(frame),
      close: () => pipe.close(),
      onframe: null,
      onclose: null,
    }
    pipe.onclose = (reason) => heard.onclose?.(reason)
    pipe.onframe = (first) => {
      const [welcome] = splitPackets(first)
      const { sessionId, passwd } = decodeConnectResponse(welcome as Uint8Array)
      passwords.set(sessionId, passwd.slice())
      pipe.onframe = (frame) => heard.onframe?.(frame)
      heard.onframe?.(first)
    }
    return heard
  }
  const end = async (id: SessionId): Promise<void> => {
    const password = passwords.get(id) as Uint8Array
    const client = await connected(connector, { session: { id, password } })
    await client.close()
  }
  return { connect, end }
}
