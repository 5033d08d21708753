// Browsers on devices of their own: network namespaces on one bridge, made and removed here. `npm run test:devices`; behind it may
// stand the names of parts, and `--long` for all cuts for all times.
import { Report } from '../report.ts'
import { cuts } from './cuts.ts'
import { founding } from './founding.ts'
import { DEVICES, type Ground } from './ground.ts'
import { Network } from './network.ts'
import { buildPages } from './pages.ts'
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
}

const asked = process.argv.slice(2).filter((word) => word !== '--long')
const unknown = asked.filter((name) => !Object.hasOwn(PARTS, name))
const parts = Object.entries(PARTS).filter(([name]) => asked.length === 0 || asked.includes(name))
const lacks = missing(new Set(parts.flatMap(([, { needs }]) => needs)))
if (lacks.length > 0 || unknown.length > 0) {
  for (const line of lacks) console.error(line)
  for (const name of unknown) console.error(`There is no part ${name}: ${Object.keys(PARTS).join(', ')}.`)
  process.exit(1)
}

const report = new Report('test:devices')
const pages = await buildPages()
const network = new Network(DEVICES)
const clear = (): void => {
  network.remove()
  pages.remove()
}
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    clear()
    process.exit(1)
  })
try {
  const ground = {
    network,
    report,
    long: process.argv.includes('--long'),
    origin: await servePages(network, 's1', pages.directory),
  }
  for (const [name, { run }] of parts)
    await report.check(`${name}: came to its end`, () => run(ground).finally(killSignals))
} finally {
  clear()
}
process.exit(report.sum())
