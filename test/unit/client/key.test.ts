import { afterEach, expect, test } from 'vitest'
import { concat } from '../../../src/base/bytes.ts'
import { Client } from '../../../src/client/client.ts'
import { keyId, proveKey } from '../../../src/client/key-auth.ts'
import { Standalone } from '../../standalone.ts'
import { ManualClock } from './scripted-server.ts'

const open: Client[] = []
const client = (server: Standalone): Client => {
  const made = Client.connect(server.connect, { clock: new ManualClock(), random: () => 0.5, sessionTimeout: 6000 })
  open.push(made)
  return made
}
afterEach(() => Promise.all(open.splice(0).map((each) => each.close())))

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256' }
const pairOf = (algorithm: EcKeyGenParams = ECDSA) => crypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'Ok',
    (error: { code?: string }) => error.code,
  )

test('who proves that it holds a key may do what ACLs allow to that key, and nobody else may', async () => {
  const server = new Standalone()
  const [owner, other] = [client(server), client(server)]
  const [mine, theirs] = [await pairOf(), await pairOf()]
  await owner.addKey(mine)
  const id = await keyId(mine.publicKey)
  expect(await owner.whoAmI()).toContainEqual({ scheme: 'key', user: id })
  await owner.create('/mine', 'x', { acl: [{ scheme: 'key', id, permissions: ['read', 'write', 'admin'] }] })
  await owner.setData('/mine', 'y')
  expect(await codeOf(other.getData('/mine'))).toBe('NoAuth')
  await other.addKey(theirs)
  expect(await codeOf(other.setData('/mine', 'z'))).toBe('NoAuth')
  // `auth` stands for whatever the session has proved.
  await owner.create('/own', 'x', { acl: [{ scheme: 'auth', id: '', permissions: ['read'] }] })
  expect((await owner.getAcl('/own')).acl).toEqual([{ scheme: 'key', id, permissions: ['read'] }])
  await other.addKey(mine)
  expect((await other.getData('/mine')).data).toEqual(new TextEncoder().encode('y'))
})

test('a proof is worth nothing in another session, nor is half of one, nor one before the session', async () => {
  const server = new Standalone()
  const pair = await pairOf()
  const owner = client(server)
  await owner.addKey(pair)
  const proof = await proveKey(pair, owner.sessionId, owner.sessionPassword)
  await owner.addAuth('key', proof)
  const flipped = proof.slice()
  flipped[100] = (flipped[100] as number) ^ 1
  const swapped = concat([proof.subarray(0, 1), new Uint8Array(64).fill(255), proof.subarray(65)])
  for (const bad of [proof, proof.subarray(1), concat([proof, new Uint8Array(1)]), new Uint8Array(129), swapped]) {
    const thief = client(server)
    await thief.connected()
    expect(await codeOf(thief.addAuth('key', bad))).toBe('AuthFailed')
  }
  expect(await codeOf(owner.addAuth('key', flipped))).toBe('AuthFailed')
  expect(await codeOf(client(server).addAuth('key', proof))).toBe('AuthFailed')
})

test('after a cut the key counts again, unasked', async () => {
  const server = new Standalone()
  const clock = new ManualClock()
  const one = Client.connect(server.connect, { clock, random: () => 0.5, sessionTimeout: 6000 })
  open.push(one)
  const pair = await pairOf()
  await one.addKey(pair)
  await one.create('/k', 'x', { acl: [{ scheme: 'key', id: await keyId(pair.publicKey), permissions: ['read'] }] })
  server.cut()
  await server.settled()
  await clock.advance(100)
  expect((await one.getData('/k')).data).toEqual(new TextEncoder().encode('x'))
})

test('what is no such pair of keys is refused by name', async () => {
  const one = client(new Standalone())
  const p384 = await pairOf({ name: 'ECDSA', namedCurve: 'P-384' })
  const pair = await pairOf()
  for (const bad of [null, {}, p384, { publicKey: pair.privateKey, privateKey: pair.publicKey }]) {
    expect(await codeOf(one.addKey(bad as never))).toBe('BadArguments')
  }
  for (const bad of [{ type: 'public' }, { type: 'public', algorithm: undefined }, { type: 'public', algorithm: null }])
    expect(await codeOf(keyId(bad as never))).toBe('BadArguments')
  const forged = { ...{ type: 'private', algorithm: ECDSA }, usages: undefined }
  expect(await codeOf(one.addKey({ publicKey: pair.publicKey, privateKey: forged as never }))).toBe('BadArguments')
  const raw = await crypto.subtle.exportKey('raw', pair.publicKey)
  const sealed = await crypto.subtle.importKey('raw', raw, ECDSA, false, ['verify'])
  expect(await codeOf(keyId(sealed))).toBe('BadArguments')
  expect(await codeOf(one.addKey({ publicKey: sealed, privateKey: pair.privateKey }))).toBe('BadArguments')
  await expect(keyId(pair.privateKey)).rejects.toThrow('publicKey must be')
  const acl = (id: string) => [{ scheme: 'key', id, permissions: ['read'] as const }]
  expect(await codeOf(one.create('/n', null, { acl: acl('me') }))).toBe('InvalidACL')
  expect(await codeOf(one.create('/n', null, { acl: acl(await keyId(pair.publicKey)) }))).toBe('Ok')
})
