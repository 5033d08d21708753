import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ReplicaId } from '../../src/base/ids.ts'
import { founded } from './script.ts'
import type { Stage } from './stage.ts'

/** Anything that may happen to three or five voters at any moment. Numbers are taken modulo what there is. */
interface Deed {
  readonly what:
    | 'deliver'
    | 'store'
    | 'tick'
    | 'request'
    | 'crash'
    | 'restart'
    | 'close'
    | 'link'
    | 'freeze'
    | 'thaw'
    | 'settle'
  readonly a: number
  readonly b: number
}
const deed: fc.Arbitrary<Deed> = fc.record({
  what: fc.constantFrom(
    ...(['deliver', 'deliver', 'deliver', 'deliver', 'store', 'store', 'tick', 'request', 'settle'] as const),
    ...(['crash', 'restart', 'close', 'link', 'link', 'freeze', 'thaw'] as const),
  ),
  a: fc.nat(20),
  b: fc.nat(20),
})

function happens(stage: Stage, { what, a, b }: Deed): void {
  const ids = [...stage.actors.keys()]
  const one = ids[a % ids.length] as ReplicaId
  const other = ids[(a + 1 + (b % (ids.length - 1))) % ids.length] as ReplicaId
  const actor = stage.actor(one)
  const both = actor.peer !== null && stage.actor(other).peer !== null
  if (what === 'deliver') stage.deliver(one, other, (b % 3) + 1)
  else if (what === 'store') stage.store(actor, (b % 2) + 1)
  else if (what === 'tick') stage.tick([50, 50, 200, 700, 1600, 5000][b % 6] as number)
  else if (what === 'request') stage.turn(actor, [{ kind: 'requested', requests: [new Uint8Array([a, b])] }])
  else if (what === 'crash' && actor.peer !== null) stage.crash(actor, b % 3)
  else if (what === 'restart' && actor.peer === null) stage.start(actor)
  else if (what === 'close') stage.close(one, other, 'closed')
  else if (what === 'link' && both) stage.open(one, other)
  else if (what === 'freeze') actor.frozen ??= { since: stage.now, facts: [] }
  else if (what === 'thaw') stage.thaw(actor)
  else if (what === 'settle') stage.settle()
}

test.each([3, 5])('of %d voters, a majority that is left finds a leader within fifteen seconds and commits', (size) => {
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 60 }), fc.nat(4), fc.nat(4), (deeds, first, second) => {
      const stage = founded(size)
      for (const one of deeds) happens(stage, one)
      // A minority is gone for good. The rest wakes, comes back and finds its links again; those that it has stay.
      const ids = [...stage.actors.keys()]
      const gone = new Set([first, second].slice(0, (size - 1) / 2).map((n) => ids[n % size]))
      for (const actor of stage.actors.values()) {
        stage.thaw(actor)
        if (gone.has(actor.options.id)) {
          if (actor.peer !== null) stage.crash(actor, 0)
        } else if (actor.peer === null) stage.start(actor)
      }
      const left = ids.filter((id) => !gone.has(id))
      for (const [i, a] of left.entries()) for (const b of left.slice(i + 1)) if (!stage.linked(a, b)) stage.open(a, b)
      const pass = (ms: number): void => {
        for (let t = 0; t < ms; t += 50) {
          stage.settle()
          stage.tick(50)
        }
      }
      pass(15_000)
      const leaders = left.filter((id) => {
        const role = stage.actor(id).peer?.role
        return role?.kind === 'leading' && role.phase === 'broadcast'
      })
      expect(leaders.length, stage.states().join('\n')).toBe(1)
      const leader = stage.actor(leaders[0] as ReplicaId)
      stage.turn(leader, [{ kind: 'requested', requests: [new TextEncoder().encode('last')] }])
      pass(500)
      for (const id of left) expect(stage.actor(id).applied, stage.states().join('\n')).toEqual(leader.applied)
      expect(leader.applied.at(-1)).toBe('last')
    }),
    { numRuns: 400 },
  )
})
