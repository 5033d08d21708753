// `npm run bench -- NAME`: every number that the documents quote can be measured again with one of these.
import { benchEnsemble } from './ensemble.ts'
import { machine, type Result, ratiosOf, tableOf } from './report.ts'
import { measure, prepare, WORKLOADS } from './workload.ts'
import { startZooKeeper, type ZooKeeperEnsemble } from './zookeeper.ts'

const ROUNDS = 3

/** Three Apache ZooKeeper servers, through a follower. */
async function benchZooKeeper(zookeeper: ZooKeeperEnsemble): Promise<Result[]> {
  const client = await zookeeper.connect('follower')
  const results: Result[] = []
  for (const workload of WORKLOADS) {
    await prepare(client, workload.size)
    const rounds = []
    for (let round = 0; round < ROUNDS; round++) rounds.push(await measure(client, workload))
    results.push({ ensemble: zookeeper.version, workload, rounds })
  }
  await client.close()
  return results
}

/** One after the other, never at the same time: they share the machine's cores. */
async function withZooKeeper(): Promise<{ readonly results: Result[]; readonly version: string } | null> {
  const zookeeper = await startZooKeeper()
  if (!zookeeper) return null
  try {
    return { results: await benchZooKeeper(zookeeper), version: zookeeper.version }
  } finally {
    await zookeeper.stop()
  }
}

const benches: Readonly<Record<string, () => Promise<void>>> = {
  async zookeeper() {
    console.log(machine())
    const measured = await withZooKeeper()
    if (measured) console.log(tableOf(measured.results))
  },
  async ensemble() {
    console.log(machine())
    const peer = await withZooKeeper()
    const { results, browser } = await benchEnsemble(WORKLOADS, ROUNDS)
    console.log(`browser  ${browser}`)
    console.log(tableOf([...results, ...(peer?.results ?? [])]))
    for (const line of ratiosOf(results, peer?.results ?? [])) console.log(line)
  },
}

const wanted = process.argv[2] ?? ''
const bench = benches[wanted]
if (bench) {
  await bench()
  console.log(`again    npm run bench -- ${wanted}`)
} else {
  console.error(`There is no bench ${JSON.stringify(wanted)}; there are: ${Object.keys(benches).join(', ')}.`)
  process.exitCode = 2
}
