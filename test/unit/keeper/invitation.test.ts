import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EnsembleId } from '../../../src/base/ids.ts'
import { invitationLink, readInvitation, writeInvitation } from '../../../src/keeper/invitation.ts'

const id = '0123456789abcdef'.repeat(2) as EnsembleId
const invitation = {
  ensemble: 'e',
  id,
  role: 'member' as const,
  secret: new Uint8Array(32).fill(255),
  signaling: ['wss://example.org/'],
}

describe('an invitation', () => {
  it('survives being a word and a link', () => {
    const some = fc.record({
      ensemble: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
      id: fc.constant(id),
      role: fc.constantFrom('member' as const, 'client' as const),
      secret: fc.option(fc.uint8Array({ minLength: 16, maxLength: 64 })),
      signaling: fc.array(fc.webUrl(), { maxLength: 3 }),
    })
    fc.assert(
      fc.property(some, (one) => {
        const word = writeInvitation(one)
        expect(word).toMatch(/^tk1-[\w-]+$/)
        expect(readInvitation(word)).toEqual(one)
        expect(readInvitation(invitationLink('https://example.org/page?x=1#tab=2', word))).toEqual(one)
      }),
    )
  })

  it('leaves the rest of the link alone, and tells servers nothing', () => {
    const link = new URL(invitationLink('https://example.org/page?x=1#tab=2', writeInvitation(invitation)))
    expect([link.pathname, link.search]).toEqual(['/page', '?x=1'])
    expect(new URLSearchParams(link.hash.slice(1)).get('tab')).toBe('2')
  })

  it('needs a whole address to stand in', () => {
    expect(() => invitationLink('/page', 'tk1-')).toThrow(
      expect.objectContaining({ code: 'BadArguments', path: 'page' }),
    )
  })

  it('is refused when it is cut, or none', () => {
    const word = writeInvitation(invitation)
    const bad = ['', 'tk1-', 'tk2-abc', word.slice(0, -4), 'https://example.org/', `${word}`.repeat(99), 7, null]
    for (const one of [...bad, writeInvitation({ ...invitation, id: 'x' as EnsembleId })])
      expect(() => readInvitation(one as string)).toThrow(
        expect.objectContaining({ code: 'BadArguments', path: 'invitation' }),
      )
  })
})
