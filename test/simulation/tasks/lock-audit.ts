import type { Zxid } from '../../../src/base/zxid.ts'
import type { LogEntry } from '../history/types.ts'
import { Violation } from '../violation.ts'
import { changesOf } from './audit.ts'

/** Whoever holds writes below this node, together with its guard. */
export const ACTS = '/acts'
export const VOTES = 'votes'
export const SEMAPHORE = { name: 's', permits: 2 }

/** One write of a holder: who it is, what it holds, and its fence. */
export interface Act {
  readonly path: string
  readonly shared: boolean
  readonly fence: Zxid
}

export const writeAct = ({ path, shared, fence }: Act): string => `${path} ${shared ? 'shared' : 'alone'} ${fence}`

function readAct(data: string): Act {
  const [path, mode, fence] = data.split(' ')
  return { path: path as string, shared: mode === 'shared', fence: Number(fence) as Zxid }
}

const PLACE = /^\/tk\/(?:locks|elections)\/[^/]+\/[^/]+$/
const LEASE = /^\/tk\/semaphores\/([^/]+)\/leases\/([0-9]+)-/
const votesNode = `/tk/counters/${VOTES}`

export interface LockAudit {
  readonly acts: number
  readonly votes: number
}

/**
 * Reads the whole log in order. A Violation: a write of one who does not hold, or beside another holder; a fence that is not higher than that of an
 * earlier holder; more permits than there are.
 */
export function auditLocks(log: readonly LogEntry[]): LockAudit {
  const live = new Set<string>()
  const holders = new Map<string, Map<string, Act>>()
  /** The highest fence of all who held, and of those who held alone. */
  const fences = new Map<string, { readonly all: Zxid; readonly alone: Zxid }>()
  let permits = 0
  let votes = 0
  let acts = 0
  const gone = (path: string): void => {
    if (live.delete(path)) permits -= Number(LEASE.exec(path)?.[2] ?? 0)
  }
  const acted = (what: string, act: Act, zxid: Zxid): void => {
    acts++
    const { path, shared, fence } = act
    if (!live.has(path)) throw new Violation('T10', `${path} writes at ${zxid} and holds nothing`)
    const beside = holders.get(what) ?? new Map<string, Act>()
    holders.set(what, beside)
    for (const other of beside.values()) {
      if (!live.has(other.path)) beside.delete(other.path)
      else if (other.path !== path && !(shared && other.shared)) {
        throw new Violation('T11', `${path} writes at ${zxid} while ${other.path} holds`)
      }
    }
    const { all, alone } = fences.get(what) ?? { all: -1 as Zxid, alone: -1 as Zxid }
    if (!beside.has(path) && fence <= (shared ? alone : all)) {
      throw new Violation('T13', `${path} writes at ${zxid} with the fence ${fence}; an earlier holder had ${all}`)
    }
    beside.set(path, act)
    const higher = Math.max(all, fence) as Zxid
    fences.set(what, { all: higher, alone: shared ? alone : higher })
  }
  for (const { zxid, body } of log) {
    if (body.kind === 'closeSession') body.paths.forEach(gone)
    for (const change of changesOf(body)) {
      if (change.kind === 'delete') gone(change.path)
      else if (change.kind === 'create' || change.kind === 'setData') {
        const { path } = change
        if (path === votesNode) votes = Number(change.data)
        const lease = LEASE.exec(path)
        if (change.kind === 'create' && (lease !== null || PLACE.test(path))) {
          live.add(path)
          permits += Number(lease?.[2] ?? 0)
          if (permits > SEMAPHORE.permits) throw new Violation('T12', `${permits} permits are given out at ${zxid}`)
        }
        if (change.kind === 'setData' && path.startsWith(`${ACTS}/`)) {
          acted(path.slice(ACTS.length + 1), readAct(change.data ?? ''), zxid)
        }
      }
    }
  }
  return { acts, votes }
}
