import { expect, it } from 'vitest'
import type { EnsembleId, ReplicaId } from '../../../src/base/ids.ts'
import { Mesh } from '../../../src/mesh/mesh.ts'
import type { Signal } from '../../../src/signaling/signal.ts'
import type { MemberSignaling } from '../../../src/signaling/signaling.ts'

const ensemble = 'a'.repeat(32) as EnsembleId
const other = 'b'.repeat(32) as EnsembleId
const [small, self, third] = [1, 2, 3] as [ReplicaId, ReplicaId, ReplicaId]

/** A page that dials whoever has a smaller id; `done` is what it does to others, in this order. */
async function page() {
  let hear: (signal: Signal) => void = () => undefined
  const done: string[] = []
  const heard: Signal[] = []
  const strangers: string[] = []
  const signaling: MemberSignaling = {
    join: async (_, onSignal) => {
      hear = onSignal
    },
    send: (signal) => void done.push('to' in signal ? `${signal.kind} to ${signal.to}` : signal.kind),
    prepare: async () => undefined,
    leave: () => void done.push('left'),
  }
  const mesh = new Mesh(
    {
      ...{ topic: 't', ensemble, self, incarnation: 1, signaling, iceServers: () => [] },
      openPair: (initiator) => {
        done.push(initiator ? 'dialed' : 'accepted')
        return { signal: () => undefined, close: () => void done.push('hung up') }
      },
      now: () => 0,
      chance: () => 0.5,
    },
    {
      deliver: async () => undefined,
      bound: () => undefined,
      heard: (signal) => void heard.push(signal),
      stranger: (id) => void strangers.push(id),
      notice: () => undefined,
    },
  )
  await mesh.join()
  done.splice(0)
  const head = { ensemble, from: small, incarnation: 1 }
  return { mesh, done, heard, strangers, head, hear: (signal: Signal) => hear(signal) }
}

it('a member of another ensemble gets no connection and no ear: both sides are told, and that is all', async () => {
  const { done, heard, strangers, head, hear } = await page()
  const stranger = { ...head, ensemble: other }
  hear({ ...stranger, kind: 'announce' })
  expect([done.splice(0), strangers.splice(0)]).toEqual([['here to 1'], [other]])
  hear({ ...stranger, kind: 'here', to: self })
  hear({ ...stranger, kind: 'signal', to: self, attempt: 9, data: { type: 'offer', sdp: 'v=0' } })
  hear({ ...stranger, kind: 'stepDown', to: self })
  hear({ ...stranger, kind: 'sessionEnded', session: '1'.repeat(16) })
  hear({ ...stranger, kind: 'bye' })
  expect([done, heard]).toEqual([[], []])
  expect(new Set(strangers)).toEqual(new Set([other]))
})

it('what is for somebody else is not heard', async () => {
  const { done, heard, head, hear } = await page()
  hear({ ...head, kind: 'here', to: third })
  hear({ ...head, from: third, kind: 'signal', to: small, attempt: 9, data: { type: 'offer', sdp: 'v=0' } })
  hear({ ...head, kind: 'stepDown', to: third })
  expect([done, heard]).toEqual([[], []])
  hear({ ...head, kind: 'stepDown', to: self })
  hear({ ...head, from: third, kind: 'signal', to: self, attempt: 9, data: { type: 'offer', sdp: 'v=0' } })
  expect([done, heard.map(({ kind }) => kind)]).toEqual([['accepted'], ['stepDown']])
})

it('a page that goes away closes its connections and says goodbye before close returns, and does nothing afterwards', async () => {
  const { mesh, done, head, hear } = await page()
  hear({ ...head, kind: 'announce' })
  hear({ ...head, from: third, kind: 'signal', to: self, attempt: 9, data: { type: 'offer', sdp: 'v=0' } })
  done.splice(0)
  mesh.close()
  expect(done.splice(0)).toEqual(['hung up', 'hung up', 'bye', 'left'])
  mesh.close()
  mesh.ticked()
  hear({ ...head, kind: 'announce' })
  expect(done).toEqual([])
})
