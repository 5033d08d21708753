import { expect, test } from 'vitest'
import type { Zxid } from '../../../src/base/zxid.ts'
import { makeHistory } from '../../../src/zab/history.ts'
import { planSync } from '../../../src/zab/synchronization.ts'
import { configEntry, txn, z } from './subject.ts'

/** Memory reaches from 1:2 to 3:2; epoch 2 has three entries. */
const history = makeHistory(z(1, 2), configEntry(z(0, 1), [1]), [
  txn(z(1, 3)),
  txn(z(2, 1)),
  txn(z(2, 2)),
  txn(z(2, 3)),
  txn(z(3, 1)),
  txn(z(3, 2)),
])
const all = z(3, 2)

test.each([
  ['level', [z(1, 3), z(2, 3), z(3, 2)], all, { mode: 'diff', from: z(3, 2) }],
  ['behind within an epoch', [z(1, 3), z(2, 2)], all, { mode: 'diff', from: z(2, 2) }],
  ['behind by an epoch', [z(1, 3)], all, { mode: 'diff', from: z(1, 3) }],
  ['at the edge of memory', [z(1, 2)], all, { mode: 'diff', from: z(1, 2) }],
  ['before memory', [z(1, 1)], all, { mode: 'snap', from: z(3, 1) }],
  ['empty', [0 as Zxid], all, { mode: 'snap', from: z(3, 1) }],
  ['told nothing', [], all, { mode: 'snap', from: z(3, 1) }],
  ['ahead within an epoch', [z(1, 3), z(2, 5)], all, { mode: 'trunc', from: z(2, 3) }],
  ['ahead by an epoch that nobody else knows', [z(1, 3), z(4, 2)], all, { mode: 'trunc', from: z(1, 3) }],
  ['ahead across two such epochs', [z(1, 2), z(4, 2), z(5, 1)], all, { mode: 'trunc', from: z(1, 2) }],
  // An observer gets nothing that is not committed.
  ['behind, an observer', [z(1, 3), z(2, 2)], z(3, 1), { mode: 'diff', from: z(2, 2) }],
  ['beyond what is committed, an observer', [z(1, 3), z(2, 3), z(3, 2)], z(3, 1), { mode: 'trunc', from: z(3, 1) }],
])('%s', (_what, epochEnds, limit, plan) => {
  const lastZxid = epochEnds.at(-1) ?? (0 as Zxid)
  expect(planSync(history, { lastZxid, epochEnds, snapshotWanted: false }, limit, z(3, 1))).toEqual(plan)
})

test('who could not apply the last plan gets a snapshot', () => {
  const learner = { lastZxid: z(2, 2), epochEnds: [z(1, 3), z(2, 2)], snapshotWanted: true }
  expect(planSync(history, learner, all, z(3, 1))).toEqual({ mode: 'snap', from: z(3, 1) })
})
