import { fromUtf8, utf8 } from '../base/bytes.ts'
import { parentOf, QUOTA_PATH } from './path.ts'
import type { ZnodeTree } from './tree.ts'

const LIMITS_NODE = '/zookeeper_limits'
const STATS_NODE = '/zookeeper_stats'

/** ZooKeeper: StatsTrack, as in `count=2,bytes=15`. −1: no limit. */
interface Track {
  readonly count: number
  readonly bytes: number
  readonly countHardLimit: number
  readonly byteHardLimit: number
}

function parseTrack(data: Uint8Array | null): Track {
  const found = new Map<string, number>()
  for (const part of textOf(data).split(/[,;]/)) {
    const [key = '', value = ''] = part.split('=')
    if (/^-?\d+$/.test(value)) found.set(key, Number(value))
  }
  const of = (key: string): number => found.get(key) ?? -1
  return {
    count: of('count'),
    bytes: of('bytes'),
    countHardLimit: of('countHardLimit'),
    byteHardLimit: of('byteHardLimit'),
  }
}

function textOf(data: Uint8Array | null): string {
  try {
    return data === null ? '' : fromUtf8(data)
  } catch {
    return ''
  }
}

/**
 * Usage of subtrees, in ZooKeeper's own format under /zookeeper/quota. Only the deepest node with limits above a path counts. Changes of the
 * statistics follow from the txns alone, so all replicas have the same.
 */
export class Quotas {
  readonly #tree: ZnodeTree
  /** Paths with limits. */
  readonly #limited = new Set<string>()

  constructor(tree: ZnodeTree) {
    this.#tree = tree
  }

  /** A node was created (or restored). */
  noted(path: string): void {
    const limited = this.#limitedBy(path)
    if (limited !== null) this.#limited.add(limited)
  }

  created(path: string, bytes: number): void {
    this.noted(path)
    if (path.startsWith(`${QUOTA_PATH}/`) && path.endsWith(STATS_NODE)) {
      this.#recount(path.slice(QUOTA_PATH.length, -STATS_NODE.length))
    }
    this.used(path, 1, bytes)
  }

  removed(path: string, bytes: number): void {
    const limited = this.#limitedBy(path)
    if (limited !== null) this.#limited.delete(limited)
    this.used(path, -1, -bytes)
  }

  /** Usage below the limited node of this path changed. */
  used(path: string, count: number, bytes: number): void {
    const limited = this.#above(path)
    if (limited === null || (count === 0 && bytes === 0)) return
    const stats = this.#tree.get(`${QUOTA_PATH}${limited}${STATS_NODE}`)
    if (stats === undefined) return
    const before = parseTrack(stats.data)
    this.#tree.fill(stats.path, track(before.count + count, before.bytes + bytes))
  }

  /** Would this much more be over a hard limit? Looks at committed usage only, as ZooKeeper does. */
  exceeded(path: string, count: number, bytes: number): boolean {
    if (path.startsWith('/zookeeper/')) return false
    const limited = this.#above(path)
    if (limited === null) return false
    const limits = this.#tree.get(`${QUOTA_PATH}${limited}${LIMITS_NODE}`)
    const stats = this.#tree.get(`${QUOTA_PATH}${limited}${STATS_NODE}`)
    if (limits === undefined || stats === undefined) return false
    const { countHardLimit, byteHardLimit } = parseTrack(limits.data)
    const usage = parseTrack(stats.data)
    return (
      (count > 0 && countHardLimit > -1 && usage.count + count > countHardLimit) ||
      (bytes > 0 && byteHardLimit > -1 && usage.bytes + bytes > byteHardLimit)
    )
  }

  #limitedBy(path: string): string | null {
    if (!path.endsWith(LIMITS_NODE) || !path.startsWith(`${QUOTA_PATH}/`)) return null
    return path.slice(QUOTA_PATH.length, -LIMITS_NODE.length)
  }

  #above(path: string): string | null {
    if (this.#limited.size === 0) return null
    for (let at = path; at !== '/'; at = parentOf(at)) if (this.#limited.has(at)) return at
    return null
  }

  #recount(path: string): void {
    const root = this.#tree.get(path)
    if (root === undefined) return
    let count = 1
    let bytes = root.data?.length ?? 0
    for (const node of this.#tree.below(path)) {
      count++
      bytes += node.data?.length ?? 0
    }
    this.#tree.fill(`${QUOTA_PATH}${path}${STATS_NODE}`, track(count, bytes))
  }
}

const track = (count: number, bytes: number): Uint8Array => utf8(`count=${count},bytes=${bytes}`)
