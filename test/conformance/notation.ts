import type { Acl, Permission, Stat } from '../../src/client/api.ts'
import type { Json } from './scenario.ts'

const PERMISSIONS: readonly (readonly [string, Permission])[] = [
  ['c', 'create'],
  ['d', 'delete'],
  ['r', 'read'],
  ['w', 'write'],
  ['a', 'admin'],
]

export const WORLD_ALL = 'world:anyone:cdrwa'

/** A data argument's bytes; `undefined` and `null` are no data. */
export function bytesOf(data: Json | undefined): Uint8Array | null {
  if (data === undefined || data === null) return null
  if (typeof data === 'string') return Buffer.from(data, 'utf8')
  const form = data as { readonly base64?: string; readonly repeat?: string; readonly count?: number }
  if (form.base64 !== undefined) return Buffer.from(form.base64, 'base64')
  return Buffer.from((form.repeat ?? '').repeat(form.count ?? 0), 'utf8')
}

/** Text where the bytes are UTF-8, else base64. */
export function showData(bytes: Uint8Array | null): Json {
  if (bytes === null) return null
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') }
  }
}

export function aclOf(text: string): Acl {
  const first = text.indexOf(':')
  const last = text.lastIndexOf(':')
  const letters = text.slice(last + 1)
  return {
    scheme: text.slice(0, first),
    id: text.slice(first + 1, last),
    permissions: PERMISSIONS.filter(([letter]) => letters.includes(letter)).map(([, permission]) => permission),
  }
}

export const showAcl = (acl: readonly Acl[]): string[] =>
  acl.map(({ scheme, id, permissions }) => {
    const letters = PERMISSIONS.filter(([, permission]) => permissions.includes(permission))
    return `${scheme}:${id}:${letters.map(([letter]) => letter).join('')}`
  })

/** Without times; the owner by its session's name. */
export function showStat(stat: Stat, owners: ReadonlyMap<bigint, string>): Json {
  const { czxid, mzxid, pzxid, version, cversion, aversion, dataLength, numChildren, ephemeralOwner } = stat
  const shown = { czxid, mzxid, pzxid, version, cversion, aversion, dataLength, numChildren }
  if (ephemeralOwner === 0n) return shown
  return { ...shown, ephemeralOwner: owners.get(ephemeralOwner) ?? `0x${ephemeralOwner.toString(16)}` }
}
