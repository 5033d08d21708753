import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAddress, parseAddresses } from '../../../src/node/address.ts'
import { runCommand } from '../../../src/node/commands.ts'
import { Gateway } from '../../../src/node/gateway.ts'
import { runShell } from '../../../src/node/shell.ts'
import { wordsOf } from '../../../src/node/shell-words.ts'

const data = mkdtempSync(join(tmpdir(), 'tabkeeper-shell-'))
let gateway: Gateway
beforeAll(async () => {
  gateway = await Gateway.start({ listen: { host: '127.0.0.1', port: 0 }, data })
})
afterAll(async () => {
  await gateway.close()
  rmSync(data, { recursive: true, force: true })
})

async function shell(lines: string[], command: string[] = []) {
  const output = new PassThrough()
  let text = ''
  output.on('data', (chunk) => {
    text += chunk
  })
  const input = Readable.from(lines.map((line) => `${line}\n`))
  const code = await runShell({ server: gateway.address, command, input, output })
  return { code, lines: text.split('\n').slice(0, -1) }
}

describe('the shell', () => {
  test('does what it is told, line by line, and shows what watches say', async () => {
    const { code, lines } = await shell([
      'create /a "two words"',
      'get -w /a',
      'set /a x',
      'create -s -e /a/s-',
      'ls -R /a',
      'getAcl /a',
      'getEphemerals',
      'deleteall /a',
      'quit',
      'ls /',
    ])
    expect(lines.filter((line) => !line.startsWith('WATCH'))).toEqual([
      'Created /a',
      'two words',
      'Created /a/s-0000000000',
      '/a',
      '/a/s-0000000000',
      "'world,'anyone",
      ': cdrwa',
      '[/a/s-0000000000]',
    ])
    expect(lines).toContain('WATCH NodeDataChanged /a')
    expect(code).toBe(0)
  })

  test('prints what a lasting watch says until it is left, and no error then', async () => {
    const { code, lines } = await shell(['create /w', 'watch -r /w', 'create /w/a', 'delete /w/a', 'delete /w', 'quit'])
    expect(lines.filter((line) => !line.startsWith('Created'))).toEqual([
      'WATCH NodeCreated /w/a',
      'WATCH NodeDeleted /w/a',
      'WATCH NodeDeleted /w',
    ])
    expect(code).toBe(0)
  })

  test('says what is wrong, goes on, and ends with 1', async () => {
    const { code, lines } = await shell(['get /nothing', 'foo', 'get', 'get -z /', 'get "', 'setAcl / x', 'ls /'])
    expect(lines).toEqual([
      'NoNode: /nothing',
      'there is no command foo; try help',
      'usage: get [-s] [-w] path',
      "Unknown option '-z'; usage: get [-s] [-w] path",
      'a " is not closed',
      'acl must be scheme:id:perms with perms of cdrwa, not x',
      '[zookeeper]',
    ])
    expect(code).toBe(1)
  })

  test('runs one command of its arguments', async () => {
    expect(await shell([], ['ls', '/'])).toEqual({ code: 0, lines: ['[zookeeper]'] })
    await expect(shell([], ['get', '/nothing'])).rejects.toMatchObject({ code: 'NoNode' })
  })
})

test.each([
  ['a b', ['a', 'b']],
  ['  a\t"b c" ', ['a', 'b c']],
  [`'a "b' "" c\\ d`, ['a "b', '', 'c d']],
  ['', []],
])('the words of %j', (line, words) => {
  expect(wordsOf(line)).toEqual(words)
})

test('addresses', () => {
  expect(parseAddress('localhost:1', '--x')).toEqual({ host: 'localhost', port: 1 })
  expect(parseAddress('[::1]:2', '--x')).toEqual({ host: '::1', port: 2 })
  expect(parseAddresses('a, b:3', '--x', 2181)).toEqual([
    { host: 'a', port: 2181 },
    { host: 'b', port: 3 },
  ])
})

test.each([
  [['frobnicate'], 'frobnicate is no command'],
  [['gateway', '--data', data], '--listen is missing'],
  [['gateway', '--listen', '127.0.0.1:0'], '--data is missing'],
  [['gateway', '--listen', 'nowhere', '--data', data], '--listen must be host:port'],
  [['gateway', '--listen', '127.0.0.1:99999', '--data', data], '--listen must be host:port'],
  [['gateway', '--lisen', 'x'], "'--lisen'"],
  [['gateway', '--listen', '127.0.0.1:0', '--data', data, '--super', 'me'], '--super must be'],
  [['proxy', '--listen', '127.0.0.1:0'], '--zookeeper is missing'],
  [['proxy', '--listen', '127.0.0.1:0', '--zookeeper', 'a:b'], '--zookeeper must be'],
  [['proxy', '--listen', '127.0.0.1:0', '--zookeeper', 'a:1', '--frame-bytes', '-1'], '--frame-bytes'],
  [['shell', '--timeout', 'soon', 'ls', '/'], '--timeout must be'],
])('the command %j is refused by the name of what is wrong', async (args, message) => {
  await expect(runCommand(args)).rejects.toMatchObject({
    code: 'BadArguments',
    message: expect.stringContaining(message),
  })
})
