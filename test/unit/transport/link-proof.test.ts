import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EnsembleId, LinkId, ReplicaId } from '../../../src/base/ids.ts'
import { encodeGreeting, type Greeting } from '../../../src/transport/hello.ts'
import { type LinkBinding, type LinkSecret, linkProof, PROOF_BYTES, proves } from '../../../src/transport/link-proof.ts'
import { memoryLinkPair } from '../../../src/transport/memory-link.ts'
import { openPeerLink } from '../../../src/transport/open-peer-link.ts'
import type { Hello } from '../../../src/transport/peer-link.ts'

const hello = (replica: number): Hello => ({
  ensemble: 'a'.repeat(32) as EnsembleId,
  replica: replica as ReplicaId,
  incarnation: 3,
  versionMin: 1,
  versionMax: 1,
  format: 1,
  browser: 'b',
  build: 'test',
})
const dialer: LinkBinding = { dialed: true, mine: 'sha-256 AA', theirs: 'sha-256 BB' }
const other: LinkBinding = { dialed: false, mine: 'sha-256 BB', theirs: 'sha-256 AA' }
const bytes = (fill: number) => new Uint8Array(PROOF_BYTES).fill(fill)
const secret = (key: number, nonce: number, binding: LinkBinding | Promise<LinkBinding>): LinkSecret => ({
  key: bytes(key),
  nonce: bytes(nonce),
  bound: Promise.resolve(binding),
})
const linkId = 1 as LinkId
const frame = (greeting: Greeting) => {
  const message = encodeGreeting(greeting)
  return new Uint8Array([0, 0, message.length >> 8, message.length & 0xff, ...message])
}

async function outcome(one: LinkSecret | null, two: LinkSecret | null): Promise<string[]> {
  const [a, b] = memoryLinkPair()
  const both = await Promise.allSettled([
    openPeerLink(a, hello(1), { linkId, ...(one === null ? {} : { secret: one }) }),
    openPeerLink(b, hello(2), { linkId, ...(two === null ? {} : { secret: two }) }),
  ])
  return both.map((side) => (side.status === 'rejected' ? side.reason.code : `to ${side.value.peer}`))
}

describe('a link with a secret', () => {
  it('opens between two that know it, on the connection that both see', async () => {
    expect(await outcome(secret(1, 2, dialer), secret(1, 3, other))).toEqual(['to 2', 'to 1'])
  })

  it('opens whenever the connection becomes known', async () => {
    const late = new Promise<LinkBinding>((resolve) => setTimeout(() => resolve(other), 20))
    expect(await outcome(secret(1, 2, dialer), secret(1, 3, late))).toEqual(['to 2', 'to 1'])
  })

  it.each([
    ['another secret', secret(9, 3, other)],
    ['no secret', null],
    ['another connection of this side', secret(1, 3, { ...other, mine: 'sha-256 CC' })],
    ['another connection of the other side', secret(1, 3, { ...other, theirs: 'sha-256 CC' })],
    ['the same role', secret(1, 3, { ...other, dialed: true })],
  ])('is refused on both sides: %s', async (_, peer) => {
    expect(await outcome(secret(1, 2, dialer), peer)).toEqual(['WrongSecret', 'WrongSecret'])
    expect(await outcome(peer, secret(1, 2, dialer))).toEqual(['WrongSecret', 'WrongSecret'])
  })

  it('is refused to a mirror, which sends back whatever it hears', async () => {
    const [a, b] = memoryLinkPair()
    b.onframe = (frame) => b.send(frame)
    await expect(openPeerLink(a, hello(1), { linkId, secret: secret(1, 2, dialer) })).rejects.toMatchObject({
      code: 'WrongSecret',
    })
  })

  it('is refused to whoever says hello without a proof, asked or not', async () => {
    const [challenge, greeting, accept] = [
      frame({ kind: 'challenge', nonce: bytes(3) }),
      frame({ kind: 'hello', hello: hello(2) }),
      frame({ kind: 'accept' }),
    ] as const
    for (const frames of [
      [greeting, accept],
      [challenge, greeting, accept],
    ]) {
      const [a, b] = memoryLinkPair()
      const opening = openPeerLink(a, hello(1), { linkId, secret: secret(1, 2, dialer) })
      for (const one of frames) b.send(one)
      await expect(opening).rejects.toMatchObject({ code: 'WrongSecret' })
    }
  })

  it('is closed to whoever sends proofs out of turn, twice, or of another size', async () => {
    const challenge = frame({ kind: 'challenge', nonce: bytes(3) })
    for (const frames of [
      [frame({ kind: 'proof', mac: bytes(0) })],
      [challenge, challenge],
      [frame({ kind: 'challenge', nonce: new Uint8Array(31) })],
      [frame({ kind: 'challenge', nonce: new Uint8Array(9000) })],
      [frame({ kind: 'accept' })],
    ]) {
      const [a, b] = memoryLinkPair()
      const never = new Promise<LinkBinding>(() => {})
      const opening = openPeerLink(a, hello(1), { linkId, secret: { ...secret(1, 2, dialer), bound: never } })
      for (const one of frames) b.send(one)
      await expect(opening).rejects.toMatchObject({ code: 'ConnectionLoss' })
    }
  })
})

it('a proof fits one key, side, connection and pair of nonces', () => {
  const text = fc.string({ maxLength: 8 })
  const terms = fc.record({
    key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    mine: text,
    theirs: text,
    a: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    b: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  })
  fc.assert(
    fc.property(terms, fc.nat(255), ({ key, mine, theirs, a, b }, bit) => {
      const binding = { dialed: true, mine, theirs }
      const seen = { dialed: false, mine: theirs, theirs: mine }
      const mac = linkProof(key, 'us', binding, { mine: a, theirs: b })
      expect(proves(mac, key, 'them', seen, { mine: b, theirs: a })).toBe(true)
      expect(proves(mac, key, 'them', binding, { mine: a, theirs: b })).toBe(false)
      const [x, y] = [a, b].map((nonce) => nonce.map((byte) => byte ^ 1)) as [Uint8Array, Uint8Array]
      expect(proves(mac, key, 'them', seen, { mine: y, theirs: a })).toBe(false)
      expect(proves(mac, key, 'them', seen, { mine: b, theirs: x })).toBe(false)
      const altered = mac.slice()
      altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(proves(altered, key, 'them', seen, { mine: b, theirs: a })).toBe(false)
    }),
  )
})
