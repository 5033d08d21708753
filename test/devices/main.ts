// Browsers on devices of their own: network namespaces on one bridge, made and removed here. `npm run test:devices`; behind it may
// stand the names of parts, and `--long` for all cuts for all times; `--lacks` only tells what is missing.
import { Report } from '../report.ts'
import { cuts } from './cuts.ts'
import { engines } from './engines.ts'
import { founding } from './founding.ts'
import { DEVICES, type Ground } from './ground.ts'
import { Network } from './network.ts'
import { buildPages } from './pages.ts'
import { relay } from './relay.ts'
import { missing, type Tool } from './requirements.ts'
import { servers } from './servers.ts'
import { killSignals, servePages } from './stations.ts'

interface Part {
  readonly run: (ground: Ground) => Promise<void>
  readonly needs: readonly Tool[]
}

const PARTS: Readonly<Record<string, Part>> = {
  cuts: { run: cuts, needs: ['ip', 'nft'] },
  servers: { run: servers, needs: ['ip'] },
  founding: { run: founding, needs: ['ip'] },
  engines: { run: engines, needs: ['ip', 'firefox-esr'] },
  relay: { run: relay, needs: ['ip', 'nft', 'turnserver'] },
}

const asked = process.argv.slice(2).filter((word) => word !== '--long' && word !== '--lacks')
const unknown = asked.filter((name) => !Object.hasOwn(PARTS, name))
const parts = Object.entries(PARTS).filter(([name]) => asked.length === 0 || asked.includes(name))
const lacks = await missing(new Set(parts.flatMap(([, { needs }]) => needs)))
if (lacks.length > 0 || unknown.length > 0) {
  for (const line of lacks) console.error(line)
  for (const name of unknown) console.error(`There is no part ${name}: ${Object.keys(PARTS).join(', ')}.`)
  process.exit(1)
}
if (process.argv.includes('--lacks')) process.exit(0)

const report = new Report('test:devices')
const pages = await buildPages()
const network = new Network(DEVICES)
// However this process ends, but for SIGKILL: the next run removes what such a one has left.
process.once('exit', () => {
  network.remove()
  pages.remove()
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const ground: Ground = {
  network,
  report,
  long: process.argv.includes('--long'),
  origin: await servePages(network, 's1', pages.directory),
}
for (const [name, { run }] of parts)
  await report.check(`${name}: came to its end`, () => run(ground).finally(killSignals))
process.exit(report.sum())
