import { readFileSync } from 'node:fs'
import { play } from '../scenarios/script.ts'

/** One scenario, held against its golden trace. The exit code. */
export function tellStory(name: string): number {
  const golden = readFileSync(new URL(`../scenarios/${name}.txt`, import.meta.url), 'utf8').split('\n')
  const told = play(golden.join('\n')).split('\n')
  const at = told.findIndex((line, i) => line !== golden[i])
  if (at >= 0) console.log(`story ${name}: seed 0 failed: line ${at + 1} is "${told[at]}", not "${golden[at]}"`)
  console.log(at < 0 ? '1 passed, 0 failed' : '0 passed, 1 failed')
  return at < 0 ? 0 : 1
}
