import { LIMITS } from '../base/limits.ts'

/** Controls, surrogates (so every astral character) with private use, and specials: refused as UTF-16 units. */
const refused = (unit: number): boolean =>
  unit <= 0x1f || (unit >= 0x7f && unit <= 0x9f) || (unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0

/** ZooKeeper: PathUtils.validatePath. */
export function isValidPath(path: string): boolean {
  if (path === '/') return true
  if (path.length > LIMITS.pathLengthMax || path.charCodeAt(0) !== SLASH) return false
  let start = 1
  for (let i = 1; i <= path.length; i++) {
    const unit = i === path.length ? SLASH : path.charCodeAt(i)
    if (unit === SLASH) {
      const length = i - start
      if (length === 0) return false
      if (path.charCodeAt(start) === DOT && (length === 1 || (length === 2 && path.charCodeAt(start + 1) === DOT))) {
        return false
      }
      start = i + 1
    } else if (refused(unit)) return false
  }
  return true
}

const SLASH = 0x2f
const DOT = 0x2e

/** `/` is its own parent. Of a path that ends in a slash: what stands before it. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash <= 0 ? '/' : path.slice(0, slash)
}

export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

export const joinPath = (parent: string, name: string): string => (parent === '/' ? `/${name}` : `${parent}/${name}`)

/** Java's `%010d`. */
export const sequenceSuffix = (number: number): string =>
  number < 0 ? `-${String(-number).padStart(9, '0')}` : String(number).padStart(10, '0')

export const CONFIG_PATH = '/zookeeper/config'
export const QUOTA_PATH = '/zookeeper/quota'

/** The nodes that are there from the beginning and stay. */
export const isSpecialPath = (path: string): boolean =>
  path === '/' || path === '/zookeeper' || path === QUOTA_PATH || path === CONFIG_PATH
