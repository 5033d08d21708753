import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import WebSocket from 'ws'
import type { WatchEvent, WatchNotice } from '../../src/client/api.ts'
import type { Client } from '../../src/client/client.ts'
import type { Connector } from '../../src/client/frame-pipe.ts'
import { Keeper } from '../../src/keeper/keeper.ts'
import type { Report } from '../report.ts'
import { openThreeReplicas } from '../three-replicas.ts'
import { connected, cuttable, overTcp, overWebSocket } from './clients.ts'
import { folder, freePort, HOST, startApache, startGateway, startProxy } from './servers.ts'

/** One suite, on everything that speaks the protocol: our client and its recipes behave the same on each. */
export async function suite(report: Report): Promise<void> {
  const apache = await startApache()
  const gateway = await startGateway(folder(), await freePort())
  const [toApache, toGateway] = [await startProxy(apache.port), await startProxy(gateway.port)]
  const tabs = await openThreeReplicas()
  const ways: readonly (readonly [string, Connector])[] = [
    ['gateway', overTcp(gateway.port)],
    ['gateway through the proxy', overWebSocket(toGateway.port)],
    ['ZooKeeper', overTcp(apache.port)],
    ['ZooKeeper through the proxy', overWebSocket(toApache.port)],
    ['three replicas as tabs have them', tabs.connect],
  ]
  try {
    for (const [way, connector] of ways) {
      for (const test of TESTS) await report.check(`${test.name}, on ${way}`, () => inFolder(connector, test))
    }
    // Node 20 has none of its own.
    Object.assign(globalThis, { WebSocket })
    await report.check('Keeper.open on ZooKeeper through the proxy', () => application(toApache.port))
  } finally {
    await Promise.all([toApache.stop(), toGateway.stop()])
    await Promise.all([gateway.kill(), apache.kill(), tabs.stop()])
  }
}

interface Stage {
  readonly a: Client
  readonly b: Client
  /** The network of `a` fails. */
  cut(): void
}

let count = 0

/** Each test has two sessions with a tree of their own. */
async function inFolder(connector: Connector, test: (stage: Stage) => Promise<void>): Promise<void> {
  const chroot = `/suite-${count++}`
  const root = await connected(connector)
  await root.create(chroot)
  const wire = cuttable(connector)
  const a = await connected(wire.connect, { chroot })
  const b = await connected(connector, { chroot })
  try {
    await test({ a, b, cut: wire.cut })
  } finally {
    await Promise.all([a, b, root].map((client) => client.close()))
  }
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 10_000; !(await isSo()); ) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const text = (data: Uint8Array | null): string => Buffer.from(data ?? []).toString()

async function nodes({ a, b }: Stage): Promise<void> {
  const { path, stat } = await a.create('/n', 'one')
  deepEqual([path, stat.version, stat.dataLength], ['/n', 0, 3])
  await rejects(a.create('/n'), { code: 'NodeExists' })
  await rejects(a.setData('/n', 'x', { version: 4 }), { code: 'BadVersion' })
  equal((await a.setData('/n', new Uint8Array(300_000))).dataLength, 300_000)
  await b.sync('/n')
  equal((await b.getData('/n')).data?.length, 300_000)
  await a.create('/n/c', null, { mode: 'container' })
  await rejects(a.delete('/n'), { code: 'NotEmpty' })
  deepEqual((await b.getChildren('/n')).children, ['c'])
  await a.delete('/n/c')
  await a.delete('/n')
  await b.sync('/')
  equal(await b.exists('/n'), null)
}

async function manyInOneTurn({ a }: Stage): Promise<void> {
  await a.create('/n')
  const made = await Promise.all(
    Array.from({ length: 3000 }, () => a.create('/n/s-', 'x'.repeat(500), { mode: 'persistentSequential' })),
  )
  deepEqual(
    made.map(({ path }) => Number(path.slice(-10))),
    Array.from({ length: 3000 }, (_, i) => i),
  )
  equal((await a.getChildren('/n')).children.length, 3000)
}

async function transactions({ a }: Stage): Promise<void> {
  const results = await a.multi([
    { op: 'create', path: '/t', data: '1' },
    { op: 'setData', path: '/t', data: '2' },
    { op: 'check', path: '/t', version: 1 },
  ])
  deepEqual(
    results.map(({ op }) => op),
    ['create', 'setData', 'check'],
  )
  await rejects(
    a.multi([
      { op: 'delete', path: '/t' },
      { op: 'check', path: '/nothing' },
    ]),
    { code: 'NoNode' },
  )
  ok(await a.exists('/t'))
  const read = await a.multiRead([
    { op: 'getData', path: '/t' },
    { op: 'getChildren', path: '/missing' },
  ])
  deepEqual(
    read.map((one) => (one.op === 'error' ? one.error : one.op)),
    ['getData', 'NoNode'],
  )
}

async function oneShots({ a, b }: Stage): Promise<void> {
  const seen: string[] = []
  const watch = ({ type, path }: WatchEvent): void => void seen.push(`${type} ${path}`)
  await a.exists('/w', { watch })
  await b.create('/w')
  await until('created', () => seen.length === 1)
  await a.getData('/w', { watch })
  await a.getChildren('/w', { watch })
  await b.setData('/w', '1')
  await b.setData('/w', '2')
  await b.create('/w/c')
  await b.create('/w/d')
  await a.sync()
  await until('all', () => seen.length === 3)
  deepEqual(seen, ['NodeCreated /w', 'NodeDataChanged /w', 'NodeChildrenChanged /w'])
}

async function streams({ a, b }: Stage): Promise<void> {
  await b.create('/s')
  const [deep, shallow] = await Promise.all([a.watch('/s', { recursive: true }), a.watch('/s')])
  const once: string[] = []
  await a.getChildren('/s', { watch: ({ type }) => once.push(type) })
  await b.create('/s/x')
  await b.setData('/s/x', '1')
  await b.setData('/s', '1')
  await b.delete('/s/x')
  const take = async (from: AsyncIterableIterator<WatchNotice>, wanted: number): Promise<string[]> => {
    const seen: string[] = []
    while (seen.length < wanted) {
      const { type, path } = (await from.next()).value as WatchNotice
      seen.push(`${type} ${path}`)
    }
    return seen
  }
  deepEqual(await take(deep, 4), ['NodeCreated /s/x', 'NodeDataChanged /s/x', 'NodeDataChanged /s', 'NodeDeleted /s/x'])
  deepEqual(await take(shallow, 3), ['NodeChildrenChanged /s', 'NodeDataChanged /s', 'NodeChildrenChanged /s'])
  deepEqual(once, ['NodeChildrenChanged'])
}

async function resumes({ a, b, cut }: Stage): Promise<void> {
  await a.create('/e', 'mine', { mode: 'ephemeral' })
  const seen: string[] = []
  await a.getData('/e', { watch: ({ type }) => seen.push(type) })
  const session = a.sessionId
  cut()
  // A pipe in memory tells it a moment later.
  await null
  equal(a.state, 'suspended')
  const waiting = a.getData('/e')
  equal(text((await waiting).data), 'mine')
  equal(a.sessionId, session)
  await b.sync()
  equal((await b.exists('/e'))?.ephemeralOwner, session)
  await b.setData('/e', 'x')
  await until('the watch of before', () => seen.length === 1)
  await a.close()
  await until('the ephemeral is gone', async () => (await b.exists('/e')) === null)
}

async function rights({ a, b }: Stage): Promise<void> {
  await a.addAuth('digest', 'me:secret')
  await a.create('/mine', 'm', { acl: [{ scheme: 'auth', id: '', permissions: ['read', 'write', 'admin'] }] })
  await rejects(b.getData('/mine'), { code: 'NoAuth' })
  await b.addAuth('digest', 'me:secret')
  equal(text((await b.getData('/mine')).data), 'm')
  ok((await b.whoAmI()).some(({ scheme, user }) => scheme === 'digest' && user === 'me'))
}

const TESTS: readonly ((stage: Stage) => Promise<void>)[] = [
  nodes,
  manyInOneTurn,
  transactions,
  oneShots,
  streams,
  resumes,
  rights,
]

interface Jobs {
  double: { in: number; out: number }
}

/** What an application does, with two keepers: locks, election, membership, queue. */
async function application(port: number): Promise<void> {
  const open = (): Promise<Keeper> => Keeper.open({ ensemble: 'app', server: `ws://${HOST}:${port}/?token=unused` })
  const [one, two] = await Promise.all([open(), open()])
  try {
    let inside = 0
    const work = (keeper: Keeper) =>
      keeper.locks.request('l', async () => {
        equal(++inside, 1)
        await new Promise((resolve) => setTimeout(resolve, 20))
        inside--
      })
    await Promise.all([work(one), work(two), work(one), work(two)])

    const members = await one.membership('m').join('me')
    equal((await two.membership('m').members()).length, 1)
    await members.leave()

    equal(await one.election('e', { id: 'first' }).lead(async () => (await two.election('e').leader())?.id), 'first')

    const worker = await two.queue<Jobs>('q').worker({ double: (n) => n * 2 })
    const queue = one.queue<Jobs>('q')
    const tasks = await Promise.all([1, 2, 3].map((n) => queue.add('double', n)))
    deepEqual(await Promise.all(tasks.map((task) => task.result({ timeout: 20_000 }))), [2, 4, 6])
    await worker.close()

    const state = await one.inspect()
    equal(state.role, 'observing')
    equal(state.server, `ws://${HOST}:${port}/`)
    await rejects(one.stepDown(), { code: 'Unsupported' })
  } finally {
    await Promise.all([one.close(), two.close()])
  }
}
