import { expect, test } from 'vitest'
import { chooseWorker, type WorkerLoad } from '../../../src/tasks/policy.ts'
import { makespans } from './makespan.ts'

const worker = (wid: string, more: Partial<WorkerLoad> = {}): WorkerLoad => ({
  ...{ wid, slots: 4, labels: {}, names: new Set(['a']), used: 0, speed: 1, served: 0 },
  ...more,
})
const demand = { name: 'a', requires: {} }

test.each([
  ['most free slots', [worker('x', { used: 2 }), worker('y', { used: 1 })], demand, '', 'y'],
  ['of equals the one served longest ago', [worker('x', { served: 5 }), worker('y', { served: 4 })], demand, '', 'y'],
  ['weighted by speed', [worker('x', { speed: 2, used: 2 }), worker('y', { used: 1 })], demand, '', 'x'],
  ['a full one never', [worker('x', { used: 4, speed: 9 }), worker('y', { used: 3 })], demand, '', 'y'],
  ['nobody', [worker('x', { used: 4 }), worker('y', { slots: 0 })], demand, '', null],
  ['one that has the handler', [worker('x', { names: new Set(['b']) }), worker('y', { used: 3 })], demand, '', 'y'],
  [
    'one with the labels',
    [worker('x'), worker('y', { labels: { gpu: true }, used: 3 })],
    { ...demand, requires: { gpu: true } },
    '',
    'y',
  ],
  [
    'labels of another kind are others',
    [worker('x', { labels: { gpu: 'true' } })],
    { ...demand, requires: { gpu: true } },
    '',
    null,
  ],
  ['the home of an affinity, however busy', [worker('x'), worker('y', { used: 3 }), worker('z')], demand, 'k1', 'y'],
  [
    'another one when that is full',
    [worker('x', { used: 1 }), worker('y', { used: 4 }), worker('z')],
    demand,
    'k1',
    'z',
  ],
] as const)('%s', (_, workers, asked, affinity, wid) => {
  expect(chooseWorker(workers, asked, affinity)?.wid ?? null).toBe(wid)
})

test('an affinity that loses its worker moves, the others stay', () => {
  const workers = ['x', 'y', 'z', 'v'].map((wid) => worker(wid))
  const home = (key: string, all: readonly WorkerLoad[]) => chooseWorker(all, demand, key)?.wid
  for (let i = 0; i < 100; i++) {
    const before = home(`k${i}`, workers)
    const after = home(
      `k${i}`,
      workers.filter(({ wid }) => wid !== 'z'),
    )
    if (before !== 'z') expect(after).toBe(before)
  }
})

test.each(['uniform', 'skewed', 'heterogeneous'] as const)('beside chance and taking turns: %s', (load) => {
  const { ours, random, turns } = makespans(load)
  expect(ours).toBeLessThanOrEqual(Math.min(random, turns) * 1.001)
})
