import { type ErrorCode, KeeperError, type Stat } from '../src/index.ts'
import { saying } from './dom.ts'

const WORDS: Readonly<Partial<Record<ErrorCode, string>>> = {
  NoNode: 'That znode is gone.',
  NodeExists: 'There is a znode of that name already.',
  NotEmpty: 'It has children: delete those first.',
  BadVersion: 'Somebody changed it meanwhile: load it again, then save.',
  NoAuth: 'You may not do that.',
  NoChildrenForEphemerals: 'An ephemeral znode cannot have children.',
  ConnectionLoss: 'No answer: the ensemble may be electing a leader. Try again in a moment.',
  SessionExpired: 'The session is over; this page joins again in a moment.',
  Closed: 'The session is over; this page joins again in a moment.',
}

export const inWords = (error: unknown): string =>
  (error instanceof KeeperError ? WORDS[error.code] : undefined) ?? saying(error)

/** What the node holds, if it is text that can be edited; else null. */
export function asText(data: Uint8Array | null): string | null {
  if (data === null) return ''
  if (data.length > 20_000) return null
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(data)
    for (const char of text) if (char < ' ' && !'\t\n\r'.includes(char)) return null
    return text
  } catch {
    return null
  }
}

/** The first bytes, for people. */
export function asHex(data: Uint8Array): string {
  const shown = [...data.subarray(0, 128)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
  return data.length > 128 ? `${shown} … (${data.length} bytes)` : shown
}

const when = (ms: number): string => (ms === 0 ? 'at the beginning' : new Date(ms).toLocaleTimeString())

export const factsOf = (stat: Stat, zxid: (value: number) => string): readonly (readonly [string, string])[] => [
  ['version', `${stat.version} (children ${stat.cversion}, ACL ${stat.aversion})`],
  ['created', `${when(stat.ctime)} by ${zxid(stat.czxid)}`],
  ['changed', `${when(stat.mtime)} by ${zxid(stat.mzxid)}`],
  ['size', `${stat.dataLength} bytes, ${stat.numChildren} children`],
  [
    'owner',
    stat.ephemeralOwner === 0n ? 'none: it stays' : `session 0x${BigInt.asUintN(64, stat.ephemeralOwner).toString(16)}`,
  ],
]

export const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/'
export const childOf = (path: string, name: string): string => (path === '/' ? `/${name}` : `${path}/${name}`)
