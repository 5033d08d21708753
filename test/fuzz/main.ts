// npm run fuzz -- [FRAMES [SEED]]: mutated frames, a million unless said otherwise, for every decoder that hears somebody else.
import { record } from './corpus.ts'
import { fuzz } from './run.ts'
import { targetsOf } from './targets.ts'

const frames = Number(process.argv[2] ?? 1_000_000)
const seed = Number(process.argv[3] ?? 1)
const targets = targetsOf(await record())
for (const { name, samples } of targets) console.log(`${String(samples.length).padStart(6)} recorded: ${name}`)
const heapBefore = process.memoryUsage().heapUsed
const began = performance.now()
const { refused, read, slowestMs } = fuzz(targets, frames, seed)
const seconds = (performance.now() - began) / 1000
const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0)
const { heapUsed, rss } = process.memoryUsage()
console.log(
  `${frames} mutated frames: ${refused} refused, ${read} read, none did anything else; ${seconds.toFixed(0)} s, slowest ${slowestMs.toFixed(0)} ms, heap ${mebibytes(heapBefore)} then ${mebibytes(heapUsed)} MiB, process ${mebibytes(rss)} MiB`,
)
process.exit(0)
