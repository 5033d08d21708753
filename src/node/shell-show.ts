import { KeeperError } from '../base/errors.ts'
import type { Acl, Permission, Stat } from '../client/api.ts'

const hex = (value: number | bigint): string => `0x${value.toString(16)}`

/** As ZooKeeper's zkCli shows it. */
export const showStat = (stat: Stat): string[] => [
  `cZxid = ${hex(stat.czxid)}`,
  `ctime = ${new Date(stat.ctime).toISOString()}`,
  `mZxid = ${hex(stat.mzxid)}`,
  `mtime = ${new Date(stat.mtime).toISOString()}`,
  `pZxid = ${hex(stat.pzxid)}`,
  `cversion = ${stat.cversion}`,
  `dataVersion = ${stat.version}`,
  `aclVersion = ${stat.aversion}`,
  `ephemeralOwner = ${hex(BigInt.asUintN(64, stat.ephemeralOwner))}`,
  `dataLength = ${stat.dataLength}`,
  `numChildren = ${stat.numChildren}`,
]

/** Text; bytes that are none in hexadecimal. */
export function showData(data: Uint8Array | null): string {
  if (data === null) return 'null'
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data)
  } catch {
    return `0x${Buffer.from(data).toString('hex')}`
  }
}

const LETTERS: readonly (readonly [string, Permission])[] = [
  ['c', 'create'],
  ['d', 'delete'],
  ['r', 'read'],
  ['w', 'write'],
  ['a', 'admin'],
]

export const showAcl = (acl: readonly Acl[]): string[] =>
  acl.flatMap(({ scheme, id, permissions }) => [
    `'${scheme},'${id}`,
    `: ${LETTERS.filter(([, permission]) => permissions.includes(permission))
      .map(([letter]) => letter)
      .join('')}`,
  ])

/** `scheme:id:perms`, several separated by commas; perms are letters of `cdrwa`. The id may hold colons. */
export const parseAcl = (text: string): Acl[] =>
  text.split(',').map((one) => {
    const match = /^([^:]+):(.*):([cdrwa]*)$/.exec(one)
    if (match === null) {
      throw new KeeperError('BadArguments', `acl must be scheme:id:perms with perms of cdrwa, not ${one}`, {
        path: 'acl',
      })
    }
    const [, scheme, id, letters] = match as unknown as [string, string, string, string]
    const permissions = LETTERS.filter(([letter]) => letters.includes(letter)).map(([, permission]) => permission)
    return { scheme, id, permissions }
  })
