// `npm run bench -- NAME`: every number that the documents quote can be measured again with one of these.
import { loadavg } from 'node:os'
import { type Contender, contest } from './contest.ts'
import { openTabs } from './ensemble.ts'
import { openReplicas } from './replicas.ts'
import { machine, ratiosOf, tableOf } from './report.ts'
import { benchTasks } from './tasks.ts'
import { benchTree } from './tree.ts'
import { WORKLOADS } from './workload.ts'
import { benchZab } from './zab.ts'
import { startZooKeeper } from './zookeeper.ts'

const ROUNDS = 3

/** The first is ours if there are two; ratios are its throughput over the other's. */
const benches: Readonly<Record<string, readonly (() => Promise<Contender | null>)[]>> = {
  /** Three tabs of one Chromium beside three servers, the same work through a follower each. */
  ensemble: [openTabs, startZooKeeper],
  tabs: [openTabs],
  /** The code alone, without browser, disk and network. */
  replica: [openReplicas],
  zookeeper: [startZooKeeper],
}

async function bench(starters: readonly (() => Promise<Contender | null>)[]): Promise<void> {
  const contenders: Contender[] = []
  const load = loadavg()
  try {
    for (const start of starters) {
      const contender = await start()
      if (contender) contenders.push(contender)
    }
    const results = await contest(contenders, WORKLOADS, ROUNDS)
    const versions = contenders.map((contender) => contender.version)
    console.log(machine(load, versions))
    console.log(tableOf(results.flat()))
    const [ours, peers] = results
    if (ours && peers) for (const line of ratiosOf(ours, peers)) console.log(line)
  } finally {
    for (const contender of contenders) await contender.stop()
  }
}

/** Those that are no contest of one kind of work. */
const whole: Readonly<Record<string, () => Promise<void> | void>> = {
  zab: benchZab,
  tree: benchTree,
  tasks: benchTasks,
}

const name = process.argv[2] ?? ''
const starters = benches[name]
const alone = whole[name]
if (alone) {
  await alone()
  console.log(`again    npm run bench -- ${name}`)
} else if (starters) {
  await bench(starters)
  console.log(`again    npm run bench -- ${name}`)
} else {
  console.error(
    `There is no bench ${JSON.stringify(name)}; there are: ${[...Object.keys(whole), ...Object.keys(benches)].join(', ')}.`,
  )
  process.exitCode = 2
}
