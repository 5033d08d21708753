import { expect, test } from 'vitest'
import type { EnsembleId, ReplicaId } from '../../../src/base/ids.ts'
import { LIMITS } from '../../../src/base/limits.ts'
import { ClientDoor } from '../../../src/mesh/client-door.ts'
import { DIALING } from '../../../src/mesh/dialing.ts'
import type { OpenPair } from '../../../src/mesh/rtc-pair.ts'
import { NO_ENSEMBLE, type Signal } from '../../../src/signaling/signal.ts'

const ensemble = 'a'.repeat(32) as EnsembleId
const self = 1 as ReplicaId

/** A door, what it says, and the connections it holds. The connections themselves are the platform's: here they only end. */
async function door() {
  const said: Signal[] = []
  const ends: (() => void)[] = []
  const closed: number[] = []
  const time = { now: 0 }
  let hear: (signal: Signal) => void = () => undefined
  const openPair: OpenPair = (_initiator, _servers, events) => {
    const n = ends.push(() => events.onclose('gone')) - 1
    return { signal: () => undefined, close: () => void closed.push(n) }
  }
  const signaling = {
    join: async (_topic: string, onSignal: (signal: Signal) => void) => {
      hear = onSignal
    },
    send: (signal: Signal) => void said.push(signal),
    leave: () => undefined,
    prepare: async () => undefined,
  }
  const made = new ClientDoor(
    { topic: 't', ensemble, self, incarnation: 1, signaling, iceServers: () => [], openPair, now: () => time.now },
    () => undefined,
  )
  await made.join()
  made.stands('votes')
  const seek = (from: number): string => {
    said.length = 0
    hear({ kind: 'seek', ensemble: NO_ENSEMBLE, from: from as ReplicaId, incarnation: 0 })
    return said.map(({ kind }) => kind).join()
  }
  const offer = async (from: number, more: Partial<{ attempt: number; ensemble: EnsembleId }> = {}) => {
    const data = { type: 'offer', sdp: '' } as const
    hear({ kind: 'signal', ensemble, from: from as ReplicaId, incarnation: 0, to: self, attempt: 1, data, ...more })
    await Promise.resolve()
  }
  return { made, said, seek, offer, ends, closed, time, hear: (signal: Signal) => hear(signal) }
}

test('a flood of clients finds so many places and no more; a place that becomes free is given again', async () => {
  const { seek, offer, ends, said } = await door()
  for (let client = 2; client < 2 + 2 * LIMITS.clientLinksMax; client++) await offer(client)
  expect(ends).toHaveLength(LIMITS.clientLinksMax)
  // Those who called in vain were told; and so is who asks.
  const vain = said.filter(({ kind }) => kind === 'full').map((signal) => 'to' in signal && signal.to)
  expect(vain).toEqual(Array.from({ length: LIMITS.clientLinksMax }, (_, i) => 2 + LIMITS.clientLinksMax + i))
  expect(seek(9999)).toBe('full')
  ends[0]?.()
  expect(seek(9999)).toBe('here')
  await offer(9999)
  expect(ends).toHaveLength(LIMITS.clientLinksMax + 1)
})

test('one client has one place, however often it calls; what never opens is given up', async () => {
  const { made, offer, seek, ends, closed, time } = await door()
  for (let attempt = 1; attempt <= 200; attempt++) await offer(2, { attempt })
  expect([ends.length, closed.length]).toEqual([200, 199])
  await offer(2, { attempt: 100 })
  expect(ends).toHaveLength(200)
  for (let client = 3; client < 2 + LIMITS.clientLinksMax; client++) await offer(client)
  expect(seek(9999)).toBe('full')
  time.now = DIALING.connectWithin + 1
  made.ticked()
  expect(seek(9999)).toBe('here')
})

test('it hears clients only: words of members, and calls for another ensemble, come to nothing', async () => {
  const { made, offer, seek, ends, hear } = await door()
  const head = { ensemble, from: 7 as ReplicaId, incarnation: 1 }
  hear({ ...head, kind: 'announce', stands: 'leads' })
  hear({ ...head, kind: 'here', to: self, call: true })
  hear({ ...head, kind: 'stepDown', to: self })
  hear({ ...head, kind: 'sessionEnded', session: '0'.repeat(16) })
  await offer(7, { ensemble: 'b'.repeat(32) as EnsembleId })
  expect(ends).toEqual([])
  made.stands(null)
  await offer(7)
  expect([seek(7), ends.length]).toEqual(['', 0])
})
