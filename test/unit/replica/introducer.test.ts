import { describe, expect, it } from 'vitest'
import type { EnsembleId, LinkId, ReplicaId } from '../../../src/base/ids.ts'
import { Introducer } from '../../../src/replica/introducer.ts'
import { decodeIntroduction, encodeIntroduction, isIntroduction } from '../../../src/transport/introduction.ts'
import { memoryLinkPair } from '../../../src/transport/memory-link.ts'
import { openPeerLink } from '../../../src/transport/open-peer-link.ts'
import type { IntroducingLink } from '../../../src/transport/peer-link.ts'

interface Member {
  readonly id: ReplicaId
  readonly introducer: Introducer
  readonly heard: string[]
}
let now = 0
const member = (id: number): Member => {
  const heard: string[] = []
  const introducer = new Introducer(
    id as ReplicaId,
    () => now,
    (text) => heard.push(text),
  )
  return { id: id as ReplicaId, introducer, heard }
}
const hello = (replica: ReplicaId) => ({
  ensemble: 'a'.repeat(32) as EnsembleId,
  replica,
  incarnation: 1,
  versionMin: 1,
  versionMax: 1,
  format: 1,
  browser: 'b',
  build: 'test',
})
/** Real links, over pipes in memory. */
async function link(a: Member, b: Member): Promise<IntroducingLink> {
  const [near, far] = memoryLinkPair()
  const [one, two] = await Promise.all([
    openPeerLink(near, hello(a.id), { linkId: 1 as LinkId }),
    openPeerLink(far, hello(b.id), { linkId: 1 as LinkId }),
  ])
  a.introducer.linkOpened(one)
  b.introducer.linkOpened(two)
  return one
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 20))

describe('a member', () => {
  it('introduces a newcomer to all others, and them to it, one hop and no further', async () => {
    const [newcomer, friend, far, farther] = [member(1), member(2), member(3), member(4)]
    await link(newcomer, friend)
    await link(friend, far)
    await link(far, farther)
    newcomer.introducer.say(null, 'announce')
    await settled()
    expect([newcomer, friend, far, farther].map(({ heard }) => heard)).toEqual([[], ['announce'], ['announce'], []])
    far.introducer.say(newcomer.id, 'here')
    await settled()
    expect(newcomer.heard).toEqual(['here'])
    newcomer.introducer.say(far.id, 'offer')
    await settled()
    expect([friend.heard, far.heard]).toEqual([['announce'], ['announce', 'offer']])
  })

  it('says to its neighbour itself what is for it', async () => {
    const [a, b, c] = [member(1), member(2), member(3)]
    await link(a, c)
    await link(a, b)
    a.introducer.say(c.id, 'hello')
    await settled()
    expect([b.heard, c.heard]).toEqual([[], ['hello']])
  })

  it('forgets a link that closed, and says nothing to nobody', async () => {
    const [a, b, c] = [member(1), member(2), member(3)]
    const first = await link(a, b)
    await link(a, c)
    first.close('enough')
    a.introducer.say(null, 'x')
    member(9).introducer.say(null, 'x')
    await settled()
    expect([b.heard, c.heard]).toEqual([[], ['x']])
  })

  it('passes on only so much for one member', async () => {
    const [loud, friend, other] = [member(1), member(2), member(3)]
    await link(loud, friend)
    await link(friend, other)
    for (let i = 0; i < 1000; i++) loud.introducer.say(null, `${i}`)
    await settled()
    expect([friend.heard.length, other.heard.length]).toEqual([1000, 400])
    now += 1000
    for (let i = 0; i < 100; i++) loud.introducer.say(null, `${i}`)
    await settled()
    expect(other.heard.length).toBe(440)
  })
})

describe('an introduction', () => {
  const one = { from: 7 as ReplicaId, to: 9 as ReplicaId, forward: true, text: 'ü' }

  it('survives the wire', () => {
    for (const each of [one, { ...one, to: null, forward: false }]) {
      expect(isIntroduction(encodeIntroduction(each))).toBe(true)
      expect(decodeIntroduction(encodeIntroduction(each))).toEqual(each)
    }
  })

  it('is refused when it is cut, too long, or has no sender', () => {
    const bytes = encodeIntroduction(one)
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeIntroduction(bytes.subarray(0, length))).toThrow()
    for (const bad of [
      { ...one, text: 'x'.repeat(65_537) },
      { ...one, text: 'x'.repeat(200_000) },
      { ...one, from: 0 as ReplicaId },
      { ...one, to: -1 as ReplicaId },
    ])
      expect(() => decodeIntroduction(encodeIntroduction(bad))).toThrow()
    expect(() => decodeIntroduction(new Uint8Array([...bytes, 0]))).toThrow()
  })
})
