import { expect, test } from 'vitest'
import type { KeeperError } from '../../../src/base/errors.ts'
import type { StateChange } from '../../../src/client/api.ts'
import { Client } from '../../../src/client/client.ts'
import { Standalone } from '../../standalone.ts'
import { ManualClock, settled } from './scripted-server.ts'

/** A client with a server that stops and goes on, and whose state it may read meanwhile. */
async function suspended() {
  const server = new Standalone()
  const clock = new ManualClock()
  const asked: number[] = []
  const client = Client.connect(server.connect, {
    clock,
    random: () => 0.5,
    sessionTimeout: 6000,
    askOffline: async (packets) => {
      asked.push(packets.length)
      return packets.map((packet) => server.server.answerOffline(packet))
    },
  })
  const changes: StateChange[] = []
  client.onState((change) => changes.push(change))
  await client.create('/a', 'x')
  await client.create('/a/b')
  await client.addAuth('digest', 'user:word')
  await client.create('/own', 'mine', { acl: [{ scheme: 'auth', id: '', permissions: ['read', 'write'] }] })
  server.stop()
  await server.settled()
  expect(client.state).toBe('suspended')
  return { server, clock, client, asked, changes }
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    ({ code, outcome }: KeeperError) => `${code} ${outcome}`,
  )

test('while suspended, plain reads of one turn are answered together from what is there', async () => {
  const { client, asked } = await suspended()
  const [data, children, missing, count, many, refused] = await Promise.all([
    client.getData('/a'),
    client.getChildren('/a'),
    client.exists('/none'),
    client.getAllChildrenNumber('/a'),
    client.multiRead([{ op: 'getData', path: '/a' }]),
    codeOf(client.getData('/none')),
  ])
  expect(new TextDecoder().decode(data.data ?? undefined)).toBe('x')
  expect([children.children, missing, count, many.length, refused]).toEqual([['b'], null, 1, 1, 'NoNode not-applied'])
  expect(asked).toEqual([6])
  expect(client.state).toBe('suspended')
})

test('writes, syncs and watches wait: done after the return', async () => {
  const { server, clock, client, asked } = await suspended()
  const waiting = [
    client.setData('/a', 'y'),
    client.sync(),
    client.getData('/a', { watch: () => undefined }).then(({ data }) => new TextDecoder().decode(data ?? undefined)),
  ]
  await settled()
  expect(asked).toEqual([])
  server.start()
  await clock.advance(3000)
  expect((await Promise.all(waiting))[2]).toBe('y')
})

test('what an ACL keeps for those who have said who they are waits for the session that has', async () => {
  const { server, clock, client } = await suspended()
  let answered = false
  const reads = Promise.all([client.getData('/own'), client.multiRead([{ op: 'getData', path: '/own' }])]).finally(
    () => {
      answered = true
    },
  )
  await settled()
  expect(answered).toBe(false)
  server.start()
  await clock.advance(3000)
  const [{ data }, [one]] = await reads
  expect([new TextDecoder().decode(data ?? undefined), one?.op]).toEqual(['mine', 'getData'])
})

test('or end at the deadline, or by their signal, each with a typed error; the state says until when', async () => {
  const { clock, client, changes } = await suspended()
  const deadline = changes.at(-1)?.deadline ?? 0
  expect(deadline).toBe(clock.now() + client.sessionTimeout)
  const abort = new AbortController()
  const waits = [
    codeOf(client.setData('/a', 'y')),
    codeOf(client.sync()),
    codeOf(client.create('/c', null, { signal: abort.signal })),
  ]
  abort.abort()
  expect(await waits[2]).toBe('Aborted not-applied')
  await clock.advance(deadline - clock.now())
  expect(await Promise.all(waits)).toEqual([
    'SessionExpired not-applied',
    'SessionExpired not-applied',
    'Aborted not-applied',
  ])
  expect(changes.at(-1)).toMatchObject({ state: 'lost', reason: 'no connection for a whole session timeout' })
  expect(await codeOf(client.getData('/a'))).toBe('SessionExpired not-applied')
})

test('a tree that is behind what this session has read answers nothing', async () => {
  const { server, clock, client } = await suspended()
  server.server.restore(client.lastZxid, [])
  let answered = false
  const read = client.getData('/a').finally(() => {
    answered = true
  })
  read.catch(() => undefined)
  await settled()
  expect(answered).toBe(false)
  await clock.advance(6000)
  expect(await codeOf(read)).toBe('SessionExpired not-applied')
})
