import type { Negotiation } from '../signaling/signal.ts'

/** The certificates of an attempt's two ends, as their session descriptions name them; told once, when both are known. */
export class Fingerprints {
  readonly #known: (mine: string, theirs: string) => void
  #mine: string | null = null
  #theirs: string | null = null
  #told = false

  constructor(known: (mine: string, theirs: string) => void) {
    this.#known = known
  }

  /** Both of them? */
  get known(): boolean {
    return this.#told
  }

  mine(step: Negotiation): void {
    this.#mine ??= fingerprint(step)
    this.#tell()
  }

  theirs(step: Negotiation): void {
    this.#theirs ??= fingerprint(step)
    this.#tell()
  }

  #tell(): void {
    if (this.#told || this.#mine === null || this.#theirs === null) return
    this.#told = true
    this.#known(this.#mine, this.#theirs)
  }
}

/** All that are named, each once: a description may have one for the session and one for each part. */
function fingerprint(step: Negotiation): string | null {
  if (step.type === 'candidate') return null
  const found = step.sdp.matchAll(/^a=fingerprint:(\S+) (\S+)\s*$/gm)
  const all = new Set([...found].map(([, hash, value]) => `${hash?.toLowerCase()} ${value?.toUpperCase()}`))
  return all.size === 0 ? null : [...all].sort().join(' ')
}
