import { readFileSync } from 'node:fs'
import type { Profiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import { findSourceMap, type SourceMap } from 'node:module'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Functions and the blocks within them that run or do not, as V8 counts them. */
export interface Branches {
  readonly total: number
  /** Those that never ran: the file, and the line that each begins on. Where several begin on equal lines, they are numbered. */
  readonly missed: readonly string[]
}

/** Which branches of the files of a folder run while `what` does. What ran before is not counted: nothing of it may be loaded and called yet. */
export async function branchesOf(folder: URL, what: () => Promise<void>): Promise<Branches> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  await what()
  const { result } = await session.post('Profiler.takePreciseCoverage')
  await session.post('Debugger.enable')
  let total = 0
  const missed: string[] = []
  for (const { url, scriptId, functions } of result) {
    if (!url.startsWith(folder.href)) continue
    const { scriptSource } = await session.post('Debugger.getScriptSource', { scriptId })
    const places = new Places(url, scriptSource)
    for (const { functionName, ranges } of functions) {
      // The module itself, and what the compiler adds.
      if (functionName === '__name' || ranges[0]?.startOffset === 0) continue
      total += ranges.length
      for (const range of ranges) if (range.count === 0) missed.push(places.tell(range))
    }
  }
  session.disconnect()
  return { total, missed: numbered(missed.sort()) }
}

/** From the compiled text back to the line that somebody wrote. */
class Places {
  readonly #map: SourceMap | undefined
  readonly #file: string
  readonly #lines: readonly string[]
  readonly #compiled: string

  constructor(url: string, compiled: string) {
    this.#map = findSourceMap(url)
    this.#file = basename(url)
    this.#lines = readFileSync(fileURLToPath(url), 'utf8').split('\n')
    this.#compiled = compiled
  }

  tell({ startOffset, endOffset }: Profiler.CoverageRange): string {
    const before = this.#compiled.slice(0, startOffset).split('\n')
    const column = (before.at(-1) as string).length
    // The block's own bracket belongs to the line of its condition; what is in it says more.
    const inside = /^[{\s]*/.exec(this.#compiled.slice(startOffset, endOffset))?.[0].length ?? 0
    const entry = this.#map?.findEntry(before.length - 1, column + inside)
    if (entry === undefined || !('originalLine' in entry)) throw new Error(`${this.#file} has no source map`)
    return `${this.#file}: ${(this.#lines[entry.originalLine] ?? '').trim()}`
  }
}

function numbered(lines: readonly string[]): string[] {
  const seen = new Map<string, number>()
  return lines.map((line) => {
    const count = (seen.get(line) ?? 0) + 1
    seen.set(line, count)
    return count === 1 ? line : `${line} (${count})`
  })
}
