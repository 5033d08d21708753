import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { EnsembleId, ReplicaId, SessionId } from '../../../src/base/ids.ts'
import { lifeLockOf, sessionFromHex, sessionLock, sessionToHex } from '../../../src/base/life-locks.ts'
import { replicaLock } from '../../../src/storage/names.ts'

const ensemble = 'a1'.repeat(16) as EnsembleId

it('a session is found again by the name of its lock', () => {
  fc.assert(
    fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (id) => {
      const session = id as SessionId
      const hex = sessionToHex(session)
      expect(hex).toMatch(/^[0-9a-f]{16}$/)
      expect(sessionFromHex(hex)).toBe(session)
      expect(lifeLockOf(ensemble, sessionLock(ensemble, hex))).toEqual({ kind: 'session', session })
    }),
  )
})

it('a replica is found again by the name of the lock that storage takes', () => {
  const replica = 853_164_886_522_113 as ReplicaId
  expect(lifeLockOf(ensemble, replicaLock({ ensemble, replica }))).toEqual({ kind: 'replica', replica })
})

it.each([
  '',
  'tabkeeper:name:found',
  `tabkeeper:${ensemble}:`,
  `tabkeeper:${ensemble}:0`,
  `tabkeeper:${ensemble}:01`,
  `tabkeeper:${ensemble}:1e3`,
  `tabkeeper:${ensemble}:session:12`,
  `tabkeeper:${ensemble}:session:000000000000000G`,
  `tabkeeper:${'b'.repeat(32)}:5`,
])('%j is no life lock of this ensemble', (name) => {
  expect(lifeLockOf(ensemble, name)).toBeNull()
})
