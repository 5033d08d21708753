// Real ZooKeeper clients on our gateway, and our client on a real ZooKeeper server. `npm run test:zookeeper`; behind it may stand the
// names of parts; `--lacks` only tells what of Debian's packages is missing.
import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Report } from '../report.ts'
import { besideATab } from './beside-a-tab.ts'
import { kazoo } from './kazoo.ts'
import { kill } from './kill.ts'
import { random } from './random.ts'
import { recipes } from './recipes.ts'
import { missing } from './requirements.ts'
import { removeFolders } from './servers.ts'
import { suite } from './suite.ts'
import { tasks } from './tasks.ts'
import { vectors } from './vectors.ts'
import { zkcli } from './zkcli.ts'

const PARTS = { zkcli, kazoo, 'beside-a-tab': besideATab, suite, recipes, tasks, vectors, random, kill }
const top = join(dirname(fileURLToPath(import.meta.url)), '../..')

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => name !== '--lacks' && !Object.hasOwn(PARTS, name))
const lacks = missing()
if (lacks.length > 0 || unknown.length > 0) {
  for (const line of lacks) console.error(line)
  for (const name of unknown) console.error(`There is no part ${name}: ${Object.keys(PARTS).join(', ')}.`)
  process.exit(1)
}
if (asked.includes('--lacks')) process.exit(0)

execFileSync(join(top, 'node_modules/.bin/tsc'), ['-b', 'src/node', 'src'], { cwd: top, stdio: 'inherit' })
const report = new Report('test:zookeeper')
try {
  for (const [name, part] of Object.entries(PARTS)) {
    if (asked.length === 0 || asked.includes(name)) await part(report)
  }
} finally {
  removeFolders()
}
process.exit(report.sum())
