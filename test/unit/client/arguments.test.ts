import { describe, expect, test } from 'vitest'
import { EVERYONE } from '../../../src/client/arguments.ts'
import type { Client } from '../../../src/client/client.ts'
import { settled } from './scripted-server.ts'
import { connectedStage, stage } from './stage.ts'

const BAD_PATHS = [
  '',
  'a',
  '/a/',
  '//',
  '/a//b',
  '/.',
  '/a/..',
  '/a/./b',
  '/\u0000',
  '/\u007f',
  '/😀',
  '/\ud800',
  '/\ufff0',
]

describe('bad arguments are refused before anything is sent, by name', () => {
  const calls: [string, (client: Client) => Promise<unknown>][] = [
    ...BAD_PATHS.map((path): [string, (client: Client) => Promise<unknown>] => ['path', (c) => c.getData(path)]),
    ['path', (c) => c.create('/a/')],
    ['path', (c) => c.delete('/')],
    ['path', (c) => c.exists(7 as never)],
    ['path', (c) => c.watch('/a/')],
    ['path', (c) => c.sync('a')],
    ['prefix', (c) => c.getEphemerals('a')],
    ['version', (c) => c.delete('/a', { version: 1.5 })],
    ['version', (c) => c.setData('/a', '', { version: 2 ** 31 })],
    ['version', (c) => c.setAcl('/a', EVERYONE, { version: '1' as never })],
    ['data', (c) => c.setData('/a', 5 as never)],
    // As ZooKeeper's own clients are called: the version would be lost, and the write be unconditional.
    ['options', (c) => c.setData('/a', 'x', 3 as never)],
    ['options', (c) => c.delete('/a', 3 as never)],
    ['options', (c) => c.setAcl('/a', EVERYONE, 3 as never)],
    ['options', (c) => c.create('/a', 'x', 'ephemeral' as never)],
    ['options', (c) => c.create('/a', 'x', null as never)],
    ['options', (c) => c.getData('/a', (() => undefined) as never)],
    ['options', (c) => c.getChildren('/a', true as never)],
    ['options', (c) => c.exists('/a', null as never)],
    ['data', (c) => c.setData('/a', undefined as never)],
    ['ops[0].data', (c) => c.multi([{ op: 'setData', path: '/a' } as never])],
    ['ops[0]', (c) => c.multi([null as never])],
    ['ops[0]', (c) => c.multiRead(['/a' as never])],
    ['signal', (c) => c.create('/a', 'x', { signal: 5 as never })],
    ['signal', (c) => c.getData('/a', { signal: {} as never })],
    ['mode', (c) => c.create('/a', null, { mode: 'eternal' as never })],
    ['ttl', (c) => c.create('/a', null, { ttl: 5 })],
    ['ttl', (c) => c.create('/a', null, { mode: 'persistentWithTtl' })],
    ['ttl', (c) => c.create('/a', null, { mode: 'persistentWithTtl', ttl: 0 })],
    ['ttl', (c) => c.create('/a', null, { mode: 'persistentWithTtl', ttl: 2 ** 40 })],
    ['acl', (c) => c.setAcl('/a', 'all' as never)],
    ['acl[0]', (c) => c.setAcl('/a', [null as never])],
    ['acl[0].permissions', (c) => c.setAcl('/a', [{ scheme: 'world', id: 'anyone', permissions: ['all' as never] }])],
    ['watch', (c) => c.exists('/a', { watch: 5 as never })],
    ['ops', (c) => c.multi(null as never)],
    [
      'ops[1].path',
      (c) =>
        c.multi([
          { op: 'check', path: '/' },
          { op: 'delete', path: 'b' },
        ]),
    ],
    ['ops[0].op', (c) => c.multi([{ op: 'getData', path: '/' } as never])],
    ['ops[0].op', (c) => c.multiRead([{ op: 'delete', path: '/' } as never])],
    ['scheme', (c) => c.addAuth('', 'x')],
    ['auth', (c) => c.addAuth('digest', 7 as never)],
    ['type', (c) => c.removeWatches('/a', { type: 'none' as never })],
    ['mode', (c) => c.addWatch('/a', () => undefined, { mode: 'toString' as never })],
  ]

  test.each(calls)('%s', async (argument, call) => {
    const { client, server } = await connectedStage()
    await expect(call(client)).rejects.toMatchObject({
      code: 'BadArguments',
      path: argument,
      message: expect.stringContaining(argument),
    })
    await settled()
    expect(server.last.requests).toEqual([])
  })

  test.each(['/...', '/.a', '/a..b', '/\u00a0', '/ü/ß', '/ '])('%j is a path', async (path) => {
    const { client, server } = await connectedStage()
    void client.exists(path)
    await settled()
    expect(server.last.requests[0]?.request).toMatchObject({ path })
  })

  test('a sequential path may end as a number may complete it', async () => {
    const { client, server } = await connectedStage()
    void client.create('/a/', null, { mode: 'persistentSequential' })
    void client.create('/a/.', null, { mode: 'ephemeralSequential' })
    await settled()
    expect(server.last.kinds()).toEqual(['create2', 'create2'])
  })

  test('options of the client too', async () => {
    await expect(stage({ chroot: 'app' })).rejects.toMatchObject({ code: 'BadArguments', path: 'chroot' })
    await expect(stage({ sessionTimeout: 0 })).rejects.toMatchObject({ code: 'BadArguments', path: 'sessionTimeout' })
  })
})
