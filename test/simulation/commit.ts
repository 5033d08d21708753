import { spawnSync } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const git = (...args: string[]): string =>
  spawnSync('git', args, { cwd: dirname(fileURLToPath(import.meta.url)), encoding: 'utf8' }).stdout?.trim() ?? ''

/** The commit that runs, short, with a `+` if the sources differ from it; a seed means nothing without it. */
export function commit(): string {
  const hash = git('rev-parse', '--short=7', 'HEAD')
  if (hash === '') return 'no commit'
  return git('status', '--porcelain', '--', ':/src', ':/test/simulation') === '' ? hash : `${hash}+`
}

/** Every commit has seeds of its own, and the same ones each time. */
export const firstSeed = (): number => Number.parseInt(git('rev-parse', '--short=7', 'HEAD').slice(0, 7), 16) || 1
