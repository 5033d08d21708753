import { readFileSync } from 'node:fs'
import { play } from '../scenarios/script.ts'

/** One scenario, held against its golden trace. The exit code. */
export function tellStory(name: string): number {
  const golden = readFileSync(new URL(`../scenarios/${name}.txt`, import.meta.url), 'utf8').split('\n')
  const flaw = flawOf(golden)
  if (flaw !== null) console.log(`story ${name}: seed 0 failed: ${flaw}`)
  console.log(flaw === null ? '1 passed, 0 failed' : '0 passed, 1 failed')
  return flaw === null ? 0 : 1
}

function flawOf(golden: readonly string[]): string | null {
  try {
    const told = play(golden.join('\n')).split('\n')
    const at = told.findIndex((line, i) => line !== golden[i])
    return at < 0 ? null : `line ${at + 1} is "${told[at]}", not "${golden[at]}"`
  } catch (error) {
    return String(error)
  }
}
