import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decideVoters, type Member } from '../../../src/zab/autopilot.ts'
import { r } from './subject.ts'

/** `1V` a voter that is there, `1v` one that is away for now, `1x` one that is gone for good, `1s` a steady observer, `1n` a new one; `@b` its browser; `*` the leader, `!` on a server, `~` on a phone or hidden for long. */
function member(text: string): Member {
  const [, id = '', what = '', browser = 'b', self, lasting, fleeting] =
    /^(\d+)([Vvxsn])(?:@(\w+))?(\*)?(!)?(~)?$/.exec(text) ?? []
  const voter = 'Vvx'.includes(what)
  return {
    id: r(Number(id)),
    browser: browser === 'b' ? `b${id}` : browser,
    self: self !== undefined,
    voter,
    present: 'Vsn'.includes(what),
    steady: 'Vs'.includes(what),
    evictable: what === 'x',
    lasting: lasting !== undefined,
    fleeting: fleeting !== undefined,
    since: Number(id),
  }
}
const decide = (members: string, target: number) =>
  decideVoters(members.split(' ').map(member), target)?.toSorted((a, b) => a - b) ?? null

test.each([
  // Alone, or two: one votes. An even number would bear no more failures.
  ['1V*', 3, null],
  ['1V* 2s', 3, null],
  ['1V* 2s 3s', 3, [1, 2, 3]],
  ['1V* 2s 3n', 3, null],
  ['1V* 2s 3s 4s', 3, [1, 2, 3]],
  ['1V* 2s 3s 4s 5s', 5, [1, 2, 3, 4, 5]],
  ['1V* 2s 3s 4s', 5, [1, 2, 3]],
  ['1V* 2s 3s', 1, null],
  // Who is there stays.
  ['1V* 2V 3V', 3, null],
  ['1V* 2V 3V 4s', 3, null],
  ['1V* 2V 3V 4s 5s', 5, [1, 2, 3, 4, 5]],
  // Away for a moment is not gone.
  ['1V* 2V 3v 4s', 3, null],
  ['1V* 2v 3v', 3, null],
  // Gone: replaced, or dropped with another one.
  ['1V* 2V 3x 4s', 3, [1, 2, 4]],
  ['1V* 2V 3x', 3, [1]],
  ['1V* 2x 3x 4s', 3, [1]],
  ['1V* 2x 3x 4s 5s', 3, [1, 4, 5]],
  ['1V* 2x 3x', 3, [1]],
  ['1V* 2V 3V 4x 5x', 5, [1, 2, 3]],
  ['1V* 2V 3V 4V 5x', 5, [1, 2, 3]],
  // Between a voter that is there and one that is away, the former is kept.
  ['1V* 2v 3V 4V 5x', 5, [1, 3, 4]],
  // Browsers that have no vote yet come first.
  ['1V@one* 2s@one 3s@one 4s@two 5s@three', 3, [1, 4, 5]],
  ['1V@one* 2s@one 3s@one', 3, [1, 2, 3]],
  // Phones and hidden pages come last, also before a vote that would be the second one of a browser.
  ['1V* 2s~ 3s 4s', 3, [1, 3, 4]],
  ['1V@one* 2s@two~ 3s@one 4s@one', 3, [1, 3, 4]],
  ['1V@one* 2s@two~ 3s@one 4s@one', 5, [1, 3, 4]],
  ['1V@one* 2s@one~ 3s@one 4s@two~', 3, [1, 3, 4]],
  ['1V* 2s~ 3s~', 3, [1, 2, 3]],
  ['1V*~ 2s~ 3s', 3, [1, 2, 3]],
  ['1V* 2V 3x 4s~ 5s', 3, [1, 2, 5]],
  ['1V* 2V 3x 4s~', 3, [1, 2, 4]],
  // Who votes is not voted out for it.
  ['1V* 2V~ 3V~ 4s 5s', 3, null],
  ['1V*~ 2V 3V', 3, null],
  ['1V*~ 2s', 3, null],
  // More than the target: those who came last go. An even number that somebody asked for stays while all are there.
  ['1V* 2V 3V 4V 5V', 3, [1, 2, 3]],
  ['1V* 2V', 3, null],
  // Where one vote has to do, a server has it: pages are closed.
  ['1V* 2s!', 3, [2]],
  ['1V* 2n!', 3, null],
  ['1V 2V*! 3x', 3, [2]],
  ['1V* 2V! 3x', 3, [2]],
  ['1V*! 2s', 3, null],
  ['1V* 2s!', 1, [2]],
  ['1V* 2V! 3V', 3, null],
  ['1V* 2s 3s!', 3, [1, 2, 3]],
])('%s, aiming at %d: %o', (members, target, voters) => {
  expect(decide(members, target)).toEqual(voters)
})

const anyone = fc.record({
  what: fc.constantFrom('V', 'v', 'x', 's', 'n'),
  browser: fc.constantFrom('p', 'q'),
  fleeting: fc.constantFrom('', '~'),
})
test('what it decides is odd, holds the leader, takes nobody new who is not steady, and is final', () => {
  fc.assert(
    fc.property(fc.array(anyone, { maxLength: 8 }), fc.constantFrom(1, 3, 5), (others, target) => {
      const members = [
        '1V@p*',
        ...others.map(({ what, browser, fleeting }, i) => `${i + 2}${what}@${browser}${fleeting}`),
      ].map(member)
      const voters = decideVoters(members, target)
      if (voters === null) return
      expect(voters.length % 2).toBe(1)
      expect(voters.length).toBeLessThanOrEqual(target)
      expect(voters).toContain(1)
      for (const one of members) {
        if (!voters.includes(one.id)) continue
        expect(one.evictable).toBe(false)
        if (one.voter) continue
        expect(one.present && one.steady).toBe(true)
        const better = members.filter((other) => !other.voter && other.steady && other.present && !other.fleeting)
        if (one.fleeting) expect(better.filter(({ id }) => !voters.includes(id))).toEqual([])
      }
      const after = members.map((one) => ({
        ...one,
        voter: voters.includes(one.id),
        evictable: one.voter && one.evictable && voters.includes(one.id),
      }))
      expect(
        decideVoters(
          after.filter((one) => one.voter || one.present),
          target,
        ),
      ).toBe(null)
    }),
    { numRuns: 500 },
  )
})
