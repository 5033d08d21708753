import { Gateway } from '../../src/node/gateway.ts'
import { digestId } from '../../src/tree/acl.ts'
import { differences } from '../conformance/compare.ts'
import { type Host, play } from '../conformance/player.ts'
import { loadScenarios, type Scenario } from '../conformance/scenario.ts'
import { overTcp } from './clients.ts'
import type { Report } from './report.ts'
import { folder, HOST, startApache } from './servers.ts'

/** Steps that need a hand on the server's clock or sessions, which no client has. */
const INSIDE = new Set(['expire', 'sleep', 'checkContainers'])
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
    return await played(scenario, gateway.address.port)
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

async function played(scenario: Scenario, port: number): Promise<string[]> {
  const outside = (): never => {
    throw new Error('no client can do this')
  }
  const host: Host = { connect: overTcp(port), advance: outside, expire: outside, reap: outside }
  let late: NodeJS.Timeout | undefined
  const tooLong = new Promise<string[]>((resolve) => {
    late = setTimeout(() => resolve([`not finished after ${PATIENCE_MS} ms`]), PATIENCE_MS)
  })
  try {
    return await Promise.race([play(scenario, host).then((outcome) => differences(scenario, outcome)), tooLong])
  } finally {
    clearTimeout(late)
  }
}
