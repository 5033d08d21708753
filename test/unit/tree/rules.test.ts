import { describe, expect, it } from 'vitest'
import { allows, digestId, fixedAcl, maskedAcl } from '../../../src/tree/acl.ts'
import { ipMatches } from '../../../src/tree/ip.ts'
import { CONTAINER, ownerKind, TTL_MAX, ttlOf, ttlOwner, visibleOwner } from '../../../src/tree/owner.ts'
import { isValidPath, sequenceSuffix } from '../../../src/tree/path.ts'

describe('paths', () => {
  it.each(['/', '/a', '/a/b', '/...', '/.a', '/a..b', '/ä', '/a b'])('%j is one', (path) => {
    expect(isValidPath(path)).toBe(true)
  })
  it.each(['', 'a', '/a/', '//', '/a//b', '/.', '/a/..', '/a/./b', '/\0', '/\x7f', '/\u{1f600}', '/\ue000', '/\ufffd'])(
    '%j is none',
    (path) => expect(isValidPath(path)).toBe(false),
  )
  it('number their sequences as Java does', () => {
    expect([0, 42, 2147483647, -5, -2147483648].map(sequenceSuffix)).toEqual([
      '0000000000',
      '0000000042',
      '2147483647',
      '-000000005',
      '-2147483648',
    ])
  })
})

describe('owners', () => {
  it('tell kinds apart in one long', () => {
    expect([0n, 5n, CONTAINER, ttlOwner(TTL_MAX)].map(ownerKind)).toEqual([
      'persistent',
      'ephemeral',
      'container',
      'ttl',
    ])
    expect(ttlOf(ttlOwner(TTL_MAX))).toBe(TTL_MAX)
    expect(visibleOwner(CONTAINER)).toBe(0n)
  })
})

describe('ACLs', () => {
  const bob = { scheme: 'digest', id: digestId('bob:secret') }
  it('know ZooKeeper’s digest', () => {
    expect(bob.id).toBe('bob:fyVmFCwVbTJYrznoSu1koqYEYF0=')
    expect(maskedAcl([{ perms: 1, ...bob }])).toEqual([{ perms: 1, scheme: 'digest', id: 'bob:x' }])
  })
  it('allow by entry and by super user', () => {
    const acl = [{ perms: 3, ...bob }]
    expect(allows(acl, 1, [bob])).toBe(true)
    expect(allows(acl, 4, [bob])).toBe(false)
    expect(allows(acl, 1, [])).toBe(false)
    expect(allows(acl, 16, [{ scheme: 'super', id: '' }])).toBe(true)
  })
  it('expand auth, drop duplicates, refuse nonsense', () => {
    expect(fixedAcl([{ perms: 1, scheme: 'auth', id: '' }], [bob])).toEqual([{ perms: 1, ...bob }])
    const read = { perms: 1, scheme: 'world', id: 'anyone' }
    expect(fixedAcl([read, read], [])).toEqual([read])
    for (const acl of [
      [],
      [{ perms: 1, scheme: 'auth', id: '' }],
      [{ ...read, id: 'me' }],
      [{ ...read, scheme: 'x' }],
    ]) {
      expect(fixedAcl(acl, [])).toBeNull()
    }
  })
  it('match addresses by prefix', () => {
    expect(ipMatches('10.1.2.3', '10.1.0.0/16')).toBe(true)
    expect(ipMatches('10.2.2.3', '10.1.0.0/16')).toBe(false)
    expect(ipMatches('10.1.2.3', '10.1.2.0/30')).toBe(true)
    expect(ipMatches('fe80::1', 'fe80::/10')).toBe(true)
    expect(ipMatches('::1', '127.0.0.1')).toBe(false)
    expect(ipMatches('10.1.2.3', 'nonsense/99')).toBe(false)
  })
})
