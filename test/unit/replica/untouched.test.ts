import { expect, it } from 'vitest'
import type { EnsembleId, ReplicaId, SessionId } from '../../../src/base/ids.ts'
import { makeZxid } from '../../../src/base/zxid.ts'
import { encodeTxn, type TxnBody } from '../../../src/jute/txns.ts'
import { isUntouched } from '../../../src/replica/untouched.ts'
import { encodeConfig, foundingEntries } from '../../../src/zab/membership.ts'

const ensemble = 'a'.repeat(32) as EnsembleId
const [self, other] = [1, 2] as [ReplicaId, ReplicaId]
const founding = foundingEntries(ensemble, self, [makeZxid(0, 1), makeZxid(0, 2)])
const txn = (body: TxnBody) => ({
  zxid: makeZxid(1, 1),
  kind: 'txn' as const,
  bytes: encodeTxn({ session: 1n as SessionId, cxid: 1, origin: 1, time: 0, seen: null, body }),
})
const config = (voters: readonly ReplicaId[], old: readonly ReplicaId[] | null = null) => ({
  zxid: makeZxid(1, 2),
  kind: 'config' as const,
  bytes: encodeConfig({ ensemble, voters: [...voters], old: old === null ? null : [...old] }),
})
const log = (...more: readonly ReturnType<typeof txn | typeof config>[]) => ({
  replica: self,
  snapshot: [],
  entries: [...founding, ...more],
})

it('only a lone founder that nobody has written to may give way', () => {
  const session = txn({ kind: 'createSession', timeout: 1, password: new Uint8Array(16), line: 0 })
  expect(isUntouched(log())).toBe(true)
  expect(
    isUntouched(log(session, txn({ kind: 'closeSession', paths: [] }), txn({ kind: 'error', code: -1, codes: [] }))),
  ).toBe(true)
  const create = { kind: 'create', path: '/x', data: null, acl: [], owner: 0n, parentCreates: 1 } as const
  expect(isUntouched(log(txn(create)))).toBe(false)
  expect(isUntouched(log(session, txn({ kind: 'multi', ops: [create] })))).toBe(false)
  expect(isUntouched(log(config([self, other, 3 as ReplicaId], [self])))).toBe(false)
  expect(isUntouched({ ...log(), replica: other })).toBe(false)
  expect(isUntouched({ ...log(), snapshot: [new Uint8Array(1)] })).toBe(false)
  expect(isUntouched({ ...log(), entries: [] })).toBe(false)
})
