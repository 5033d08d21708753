import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { KeeperError } from '../../../src/base/errors.ts'
import { Barrier, DoubleBarrier } from '../../../src/recipes/barrier.ts'
import { Cache } from '../../../src/recipes/cache.ts'
import { Cell } from '../../../src/recipes/cell.ts'
import { Counter, IdGenerator } from '../../../src/recipes/counter.ts'
import { Election } from '../../../src/recipes/election.ts'
import { CountdownLatch } from '../../../src/recipes/latch.ts'
import { Leases } from '../../../src/recipes/lease.ts'
import { Locks } from '../../../src/recipes/locks.ts'
import { Group } from '../../../src/recipes/membership.ts'
import { Partition } from '../../../src/recipes/partition.ts'
import { PlainQueue } from '../../../src/recipes/plain-queue.ts'
import { keepPresent } from '../../../src/recipes/presence.ts'
import { Semaphore } from '../../../src/recipes/semaphore.ts'
import { Services } from '../../../src/recipes/services.ts'
import { TaskQueue } from '../../../src/tasks/task-queue.ts'
import { type Tab, Tabs } from './tabs.ts'

let tabs: Tabs
beforeEach(() => {
  tabs = new Tabs(43)
})
afterEach(() => tabs.close())

/** What a page in plain JavaScript may give. */
const wrong = (value: unknown): never => value as never
const missing = wrong(undefined)
const noSignal = wrong({ signal: {} })
const nothing = wrong(null)

const first = <T>(stream: AsyncIterable<T>): Promise<unknown> => stream[Symbol.asyncIterator]().next()

type Call = (tab: Tab) => unknown
/** By the argument that the error names. */
const CALLS: Readonly<Record<string, Readonly<Record<string, Call>>>> = {
  callback: {
    'locks.request': (tab) => new Locks(tab).request('a', missing),
    'locks.request with options': (tab) => new Locks(tab).request('a', {}, missing),
    'semaphore.request': (tab) => new Semaphore(tab, 'a', 1).request({}, missing),
    'election.lead': (tab) => new Election(tab, 'a', 'id').lead(missing),
  },
  work: {
    'plainQueue.process': (tab) => new PlainQueue(tab, 'a').process(missing),
    'partition.run': (tab) => new Partition(tab, 'a', ['x']).run(missing),
  },
  change: { 'cell.update': (tab) => new Cell(tab, 'a').update(missing) },
  as: { 'cache.until': (tab) => new Cache(tab, '/a').until(missing) },
  options: {
    'locks.request': (tab) => new Locks(tab).request('a', nothing, () => 1),
    'locks.acquire': (tab) => new Locks(tab).acquire('a', nothing),
    'locks.acquireAll': (tab) => new Locks(tab).acquireAll(['a'], nothing),
    'locks.revoke': (tab) => new Locks(tab).revoke('a', nothing),
    'semaphore.acquire': (tab) => new Semaphore(tab, 'a', 1).acquire(nothing),
    'election.lead': (tab) => new Election(tab, 'a', 'id').lead(() => 1, nothing),
    'election.observe': (tab) => first(new Election(tab, 'a', 'id').observe(nothing)),
    'barrier.wait': (tab) => new Barrier(tab, 'a').wait(nothing),
    'doubleBarrier.enter': (tab) => new DoubleBarrier(tab, 'a', 1).enter(nothing),
    'latch.countDown': (tab) => new CountdownLatch(tab, 'a', 1).countDown(nothing),
    'latch.wait': (tab) => new CountdownLatch(tab, 'a', 1).wait(nothing),
    'counter.add': (tab) => new Counter(tab, 'a').add(1, nothing),
    'counter.watch': (tab) => first(new Counter(tab, 'a').watch(nothing)),
    'ids.next': (tab) => new IdGenerator(tab, 'a', 1).next(nothing),
    'cell.get': (tab) => new Cell(tab, 'a').get(nothing),
    'cell.set, a version': (tab) => new Cell(tab, 'a').set(1, wrong(3)),
    'cell.watch': (tab) => first(new Cell(tab, 'a').watch(nothing)),
    'cache.ready': (tab) => new Cache(tab, '/a').ready(nothing),
    'cache.events': (tab) => first(new Cache(tab, '/a').events(nothing)),
    'leases.obtain': (tab) => new Leases(tab).obtain('a', 1000, nothing),
    'membership.join, an id': (tab) => new Group(tab, 'a').join(null, wrong('me')),
    'membership.members': (tab) => new Group(tab, 'a').members(nothing),
    'membership.watch': (tab) => first(new Group(tab, 'a').watch(nothing)),
    'partition.run': (tab) => new Partition(tab, 'a', ['x']).run(() => undefined, nothing),
    'plainQueue.put, a priority': (tab) => new PlainQueue(tab, 'a').put('x', wrong(1)),
    'plainQueue.take': (tab) => new PlainQueue(tab, 'a').take(nothing),
    presence: (tab) => keepPresent(tab, '/a', null, nothing),
    'services.offer': (tab) => new Services(tab).offer('a', 1, nothing),
    'services.watch': (tab) => first(new Services(tab).watch('a', nothing)),
    'services.provider': (tab) => new Services(tab).provider('a', nothing),
    queue: (tab) => new TaskQueue(tab, 'a', nothing),
    'queue.add': (tab) => new TaskQueue(tab, 'a').add(wrong('t'), missing, nothing),
    'queue.worker': (tab) => new TaskQueue(tab, 'a').worker({}, nothing),
    'queue.drained': (tab) => new TaskQueue(tab, 'a').drained(nothing),
    'queue.events': (tab) => first(new TaskQueue(tab, 'a').events(nothing)),
    'queue.listen': (tab) => new TaskQueue(tab, 'a').listen(nothing),
    'handle.result': (tab) => new TaskQueue(tab, 'a').handle(wrong('t'), 'one').result(nothing),
    'handle.events': (tab) => first(new TaskQueue(tab, 'a').handle(wrong('t'), 'one').events(nothing)),
    'worker.close': async (tab) => (await new TaskQueue(tab, 'a').worker({})).close(nothing),
  },
  signal: {
    'locks.request': (tab) => new Locks(tab).request('a', noSignal, () => 1),
    'election.lead': (tab) => new Election(tab, 'a', 'id').lead(() => 1, noSignal),
    'election.observe': (tab) => first(new Election(tab, 'a', 'id').observe(noSignal)),
    'cell.set': (tab) => new Cell(tab, 'a').set(1, noSignal),
    'cache.events': (tab) => first(new Cache(tab, '/a').events(noSignal)),
    'membership.watch': (tab) => first(new Group(tab, 'a').watch(noSignal)),
    'partition.run': (tab) => new Partition(tab, 'a', ['x']).run(() => undefined, noSignal),
    presence: (tab) => keepPresent(tab, '/a', null, noSignal),
    'queue.worker': (tab) => new TaskQueue(tab, 'a').worker({}, noSignal),
    'queue.events': (tab) => first(new TaskQueue(tab, 'a').events(noSignal)),
  },
  ifVersion: {
    'cell.set, a text': (tab) => new Cell(tab, 'a').set(1, { ifVersion: wrong('3') }),
    'cell.delete': (tab) => new Cell(tab, 'a').delete(wrong({ ifVersion: 3 })),
  },
  lossPolicy: {
    'locks.acquire': (tab) => new Locks(tab).acquire('a', { lossPolicy: wrong('never') }),
    'semaphore.acquire': (tab) => new Semaphore(tab, 'a', 1).acquire({ lossPolicy: wrong('never') }),
    'election.lead': (tab) => new Election(tab, 'a', 'id').lead(() => 1, { lossPolicy: wrong('never') }),
  },
  data: { 'plainQueue.put': (tab) => new PlainQueue(tab, 'a').put(missing) },
  buffer: { 'cache.events': (tab) => first(new Cache(tab, '/a').events({ buffer: 0 })) },
  failures: { 'services.provider': (tab) => new Services(tab).provider('a', { failures: 0 }) },
  downFor: { 'services.provider': (tab) => new Services(tab).provider('a', { downFor: wrong('1 s') }) },
  timeout: {
    'barrier.wait': (tab) => new Barrier(tab, 'a').wait({ timeout: -1 }),
    'worker.close': async (tab) => (await new TaskQueue(tab, 'a').worker({})).close({ timeout: -1 }),
  },
  items: {
    'partition, numbers': (tab) => new Partition(tab, 'a', wrong([1, 2])),
    'queue.addAll': (tab) => new TaskQueue(tab, 'a').addAll(missing),
  },
  'items[1]': { 'queue.addAll': (tab) => new TaskQueue(tab, 'a').addAll(wrong([{ name: 't' }, null])) },
  task: { 'queue.schedule': (tab) => new TaskQueue(tab, 'a').schedule('s', { every: 1000 }, missing) },
  times: { 'queue.schedule': (tab) => new TaskQueue(tab, 'a').schedule('s', missing, wrong({ name: 't' })) },
  handlers: { 'queue.worker': (tab) => new TaskQueue(tab, 'a').worker(missing) },
  config: { 'queue.configure': (tab) => new TaskQueue(tab, 'a').configure(missing) },
  'groups.x': { 'queue.configure': (tab) => new TaskQueue(tab, 'a').configure({ groups: { x: nothing } }) },
  max: { 'queue.deadLetters': (tab) => new TaskQueue(tab, 'a').deadLetters(wrong('all')) },
  'dedup.key': { 'queue.add': (tab) => new TaskQueue(tab, 'a').add(wrong('t'), missing, { dedup: nothing }) },
  'retry.backoff.type': {
    'queue.add': (tab) =>
      new TaskQueue(tab, 'a').add(wrong('t'), missing, { retry: { max: 1, backoff: { type: wrong('linear') } } }),
  },
}

/** Nobody waits for a lock, or holds one, because of a call that could not be meant. */
describe.each(Object.entries(CALLS))('names %s', (argument, calls) => {
  test.each(Object.entries(calls))('%s', async (_, call) => {
    const tab = await tabs.open()
    const error = await tabs.until(
      (async () => call(tab))().then(
        () => null,
        (reason: unknown) => reason,
      ),
    )
    expect(error).toBeInstanceOf(KeeperError)
    expect(error).toMatchObject({ code: 'BadArguments', path: argument })
    expect(await tabs.until(new Locks(tab).query())).toEqual({ held: [], pending: [] })
  })
})
