import { MessageChannel } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { BUILD } from '../../../src/base/build.ts'
import { KeeperError } from '../../../src/base/errors.ts'
import type { ReplicaId } from '../../../src/base/ids.ts'
import { Service } from '../../../src/replica/service.ts'
import type { StartOptions } from '../../../src/replica/service-api.ts'
import { workerPlatform } from '../../../src/replica/worker-platform.ts'
import { Server } from '../../../src/server/server.ts'

const never = (): never => {
  throw new Error('not reached')
}
/** A worker whose storage refuses. */
const service = () =>
  new Service({
    claim: () => Promise.reject(new KeeperError('StorageFailed', 'the disk is full', { path: 'log' })),
    adopt: never,
    server: () => new Server(),
    platform: workerPlatform,
    pipe: never,
    locks: { request: never, query: never },
    leading: never,
    notLeading: never,
  })
const options: StartOptions = { ensemble: 'e', voters: 3, create: 'auto' }

it('greets a page of its own build, and asks any other to reload', async () => {
  expect(await service().hello(BUILD)).toEqual({ ok: true, value: null })
  const refused = await service().hello('tabkeeper 0.0.1')
  expect(refused).toMatchObject({ ok: false, error: { code: 'UpdateNeeded' } })
})

it('gives errors as data, with code and path', async () => {
  const { port1, port2 } = new MessageChannel()
  const refused = await service().start(options, port1 as unknown as MessagePort)
  port2.close()
  expect(refused).toEqual({ ok: false, error: { code: 'StorageFailed', message: 'the disk is full', path: 'log' } })
})

it('refuses everything else before it has started, and never throws', async () => {
  const idle = service()
  const peer = 1 as ReplicaId
  const replies = await Promise.all([
    idle.inspect(),
    idle.stepDown('why'),
    idle.reconfig([peer]),
    idle.peerGone(peer, 'bye'),
    idle.sessionOpened('0123456789abcdef'),
    idle.sessionEnded('no session'),
  ])
  for (const reply of replies) expect(reply).toMatchObject({ ok: false, error: { code: 'BadArguments' } })
  expect(await idle.close()).toEqual({ ok: true, value: null })
})
