import type { Arguments, Step } from '../conformance/scenario.ts'

const PATHS = ['/a', '/b', '/c', '/a/x', '/a/y', '/b/x', '/a/x/1', '/a/x/2', '/missing/parent', '/b/e']
// No containers: each server's reaper has its own clock.
const MODES = ['persistent', 'persistent', 'persistent', 'ephemeral', 'persistentSequential', 'ephemeralSequential']
const ACLS = [['world:anyone:cdrwa'], ['world:anyone:cdrwa'], ['world:anyone:cdra'], ['auth::cdrwa'], ['nobody:x:r']]

/** Random requests, the same for the same seed: few paths, so that they meet. */
export function operations(seed: number, count: number, sessions: readonly string[]): Step[] {
  let state = seed | 0
  /** mulberry32. */
  const chance = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const pick = <T>(from: readonly T[]): T => from[Math.floor(chance() * from.length)] as T
  const maybe = (part: number): boolean => chance() < part
  const version = (): { version?: number } => (maybe(0.3) ? { version: Math.floor(chance() * 4) } : {})
  const data = (): string => 'x'.repeat(Math.floor(chance() * 20))
  const create = (): Arguments & { op: string } => ({
    op: 'create',
    path: pick(PATHS),
    data: data(),
    mode: pick(MODES),
    ...(maybe(0.1) ? { acl: pick(ACLS) } : {}),
  })
  const single = (): Arguments & { op: string } => {
    const path = pick(PATHS)
    switch (Math.floor(chance() * 4)) {
      case 0:
        return create()
      case 1:
        return { op: 'delete', path, ...version() }
      case 2:
        return { op: 'setData', path, data: data(), ...version() }
      default:
        return { op: 'check', path, ...version() }
    }
  }
  const any = (): Omit<Step, 'expect' | 'session'> => {
    const path = pick([...PATHS, '/'])
    const watch = { watch: maybe(0.3) }
    const roll = chance()
    if (roll < 0.3) return create()
    if (roll < 0.42) return { op: 'delete', path: pick(PATHS), ...version() }
    if (roll < 0.54) return { op: 'setData', path, data: data(), ...version() }
    if (roll < 0.62) return { op: 'getData', path, ...watch }
    if (roll < 0.7) return { op: 'exists', path, ...watch }
    if (roll < 0.78) return { op: 'getChildren', path, stat: true, ...watch }
    if (roll < 0.81) return { op: 'getACL', path }
    if (roll < 0.83) return { op: 'setACL', path: pick(PATHS), acl: pick(ACLS), ...version() }
    if (roll < 0.91) return { op: 'multi', ops: Array.from({ length: 1 + Math.floor(chance() * 4) }, single) }
    if (roll < 0.93)
      return {
        op: 'multiRead',
        ops: [
          { op: 'getData', path },
          { op: 'getChildren', path: pick(PATHS) },
        ],
      }
    if (roll < 0.95) return { op: 'addWatch', path, mode: pick(['persistent', 'persistentRecursive']) }
    if (roll < 0.97) return { op: 'removeWatches', path, type: pick(['any', 'data', 'children']) }
    if (roll < 0.98) return { op: 'getAllChildrenNumber', path }
    if (roll < 0.99) return { op: 'getEphemerals', prefix: '/' }
    return { op: 'addAuth', scheme: 'digest', auth: 'me:secret' }
  }
  return Array.from({ length: count }, () => ({ ...any(), session: pick(sessions), expect: null }))
}
