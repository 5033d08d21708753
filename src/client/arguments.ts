import { utf8 } from '../base/bytes.ts'
import { KeeperError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import { PERMISSIONS } from '../jute/opcodes.ts'
import type { AclRecord } from '../jute/records.ts'
import type { Acl, CreateMode } from './api.ts'

/** TTLs are less than this, milliseconds: 40 bits of `ephemeralOwner` hold them. */
const TTL_END = 2 ** 40

export const refuse = (argument: string, why: string): KeeperError =>
  new KeeperError('BadArguments', `${argument} ${why}`, { path: argument })

/** Throws BadArguments unless it is a path by ZooKeeper's rule (PathUtils.validatePath). */
export function checkPath(path: unknown, argument = 'path'): asserts path is string {
  if (typeof path !== 'string') throw refuse(argument, 'must be a string')
  if (path === '/') return
  const flaw = pathFlaw(path)
  if (flaw !== null) throw refuse(argument, `${JSON.stringify(path.slice(0, 200))} ${flaw}`)
}

function pathFlaw(path: string): string | null {
  if (!path.startsWith('/')) return 'must start with /'
  if (path.endsWith('/')) return 'must not end with /'
  if (path.length > LIMITS.pathLengthMax) return `is longer than ${LIMITS.pathLengthMax}`
  for (let i = 1; i < path.length; i++) {
    if (isForbidden(path.charCodeAt(i))) return 'has a forbidden character'
  }
  for (const name of path.slice(1).split('/')) {
    if (name === '') return 'has an empty name'
    if (name === '.' || name === '..') return 'has a relative name'
  }
  return null
}

/** ZooKeeper refuses control characters, surrogates and private use, and the specials at the end of the basic plane. */
const isForbidden = (unit: number): boolean =>
  unit < 0x20 || (unit > 0x7e && unit < 0xa0) || (unit > 0xd7ff && unit < 0xf900) || unit > 0xffef

/** A sequential node's path may end in anything that a number completes. */
export function checkCreatePath(path: unknown, mode: CreateMode, argument = 'path'): asserts path is string {
  if (typeof path === 'string' && isSequential(mode)) checkPath(`${path}1`, argument)
  else checkPath(path, argument)
}

export const isSequential = (mode: CreateMode): boolean =>
  mode === 'persistentSequential' || mode === 'ephemeralSequential' || mode === 'persistentSequentialWithTtl'

export const hasTtl = (mode: CreateMode): boolean =>
  mode === 'persistentWithTtl' || mode === 'persistentSequentialWithTtl'

/** −1, any version, for undefined. */
export function checkVersion(version: unknown, argument = 'version'): number {
  if (version === undefined) return -1
  if (typeof version !== 'number' || version !== (version | 0)) throw refuse(argument, 'must be a 32-bit integer')
  return version
}

export function checkTtl(ttl: unknown, mode: CreateMode, argument = 'ttl'): number {
  if (!hasTtl(mode)) {
    if (ttl !== undefined) throw refuse(argument, `does not go with mode ${mode}`)
    return 0
  }
  if (typeof ttl !== 'number' || !Number.isInteger(ttl) || ttl < 1 || ttl >= TTL_END) {
    throw refuse(argument, 'must be an integer from 1 to 2^40 - 1 milliseconds')
  }
  return ttl
}

/** Options are an object: a version or a mode that stands in their place, as with ZooKeeper's own clients, would be lost in silence. */
export const checkOptions = <T extends object>(options: T): T => checkObject(options, 'options')

export function checkObject<T extends object>(value: T, argument: string): T {
  if (typeof value !== 'object' || value === null) throw refuse(argument, 'must be an object')
  return value
}

export const isSignal = (signal: AbortSignal | undefined): boolean =>
  signal === undefined || typeof signal?.addEventListener === 'function'

/** Nothing is `null`: whoever leaves it out may have meant something. */
export function checkData(data: unknown, argument = 'data'): Uint8Array | null {
  if (data === null) return null
  if (typeof data === 'string') return utf8(data)
  if (data instanceof Uint8Array) return data
  throw refuse(argument, 'must be a Uint8Array, a string or null')
}

export const EVERYONE: readonly Acl[] = [
  { scheme: 'world', id: 'anyone', permissions: ['create', 'delete', 'read', 'write', 'admin'] },
]

export function checkAcl(acl: unknown, argument = 'acl'): AclRecord[] {
  if (!Array.isArray(acl)) throw refuse(argument, 'must be an array')
  return acl.map((entry: Partial<Acl> | null, i) => {
    const { scheme, id, permissions } = entry ?? {}
    if (typeof scheme !== 'string' || typeof id !== 'string' || !Array.isArray(permissions)) {
      throw refuse(`${argument}[${i}]`, 'must have scheme, id and permissions')
    }
    let perms = 0
    for (const permission of permissions as string[]) {
      if (permission === 'all' || !Object.hasOwn(PERMISSIONS, permission)) {
        throw refuse(`${argument}[${i}].permissions`, `knows no ${permission}`)
      }
      perms |= PERMISSIONS[permission as keyof typeof PERMISSIONS]
    }
    return { scheme, id, perms }
  })
}

export const showAcl = (acl: readonly AclRecord[]): Acl[] =>
  acl.map(({ scheme, id, perms }) => ({
    scheme,
    id,
    permissions: (['create', 'delete', 'read', 'write', 'admin'] as const).filter((each) => perms & PERMISSIONS[each]),
  }))
