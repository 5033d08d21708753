import { expect, it } from 'vitest'
import type { SessionId } from '../../../src/base/ids.ts'
import type { ReplicaState } from '../../../src/replica/api.ts'
import { Farewells } from '../../../src/replica/farewells.ts'

const session = 7n as SessionId
const settled = () => new Promise((resolve) => setTimeout(resolve, 0))

function ensemble() {
  const asked: SessionId[] = []
  const alive = new Set([session])
  const farewells = new Farewells({
    endSession: (id) => asked.push(id),
    inspect: async () =>
      ({ serving: true, server: { sessions: [...alive].map((id) => ({ id })) } }) as unknown as ReplicaState,
  })
  return { asked, alive, farewells }
}

it('waits until somebody can be asked', () => {
  const { asked, farewells } = ensemble()
  farewells.add(session)
  expect(asked).toEqual([])
  farewells.serving(true)
  expect(asked).toEqual([session])
})

it('asks at once, and again until the session is gone', async () => {
  const { asked, alive, farewells } = ensemble()
  farewells.serving(true)
  farewells.add(session)
  farewells.repeat()
  await settled()
  expect(asked).toEqual([session, session])
  farewells.serving(false)
  farewells.serving(true)
  expect(asked).toHaveLength(3)
  alive.clear()
  farewells.repeat()
  await settled()
  farewells.serving(false)
  farewells.serving(true)
  expect(asked).toHaveLength(3)
})
