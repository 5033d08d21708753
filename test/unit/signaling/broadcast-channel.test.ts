import { afterEach, expect, it } from 'vitest'
import type { EnsembleId, ReplicaId } from '../../../src/base/ids.ts'
import { BroadcastChannelSignaling } from '../../../src/signaling/broadcast-channel.ts'
import type { Envelope } from '../../../src/signaling/signal.ts'

const open: BroadcastChannelSignaling[] = []
afterEach(() => {
  for (const signaling of open.splice(0)) signaling.leave()
})

async function member(topic: string): Promise<{ signaling: BroadcastChannelSignaling; heard: Envelope[] }> {
  const signaling = new BroadcastChannelSignaling()
  open.push(signaling)
  const heard: Envelope[] = []
  await signaling.join(topic, (signal) => heard.push(signal))
  return { signaling, heard }
}

const bye = (from: number): Envelope => ({
  kind: 'bye',
  ensemble: 'a'.repeat(32) as EnsembleId,
  from: from as ReplicaId,
  incarnation: 1,
})
const settled = () => new Promise((resolve) => setTimeout(resolve, 50))

it('reaches the others of its topic, and nobody else', async () => {
  const [a, b, other] = await Promise.all([member('t1'), member('t1'), member('t2')])
  a.signaling.send(bye(1))
  await settled()
  expect(b.heard).toEqual([bye(1)])
  expect(a.heard).toEqual([])
  expect(other.heard).toEqual([])
})

it('hears nothing of strangers who write garbage', async () => {
  const a = await member('t3')
  const stranger = new BroadcastChannel('tabkeeper:t3')
  for (const garbage of [null, 1, 'bye', { kind: 'bye' }, new Uint8Array(9)]) stranger.postMessage(garbage)
  stranger.postMessage(bye(2))
  await settled()
  stranger.close()
  expect(a.heard).toEqual([bye(2)])
})

it('is silent after leaving, and can join again', async () => {
  const [a, b] = await Promise.all([member('t4'), member('t4')])
  b.signaling.leave()
  b.signaling.leave()
  b.signaling.send(bye(3))
  a.signaling.send(bye(1))
  await settled()
  expect([...a.heard, ...b.heard]).toEqual([])
  await b.signaling.join('t4', (signal) => b.heard.push(signal))
  a.signaling.send(bye(1))
  await settled()
  expect(b.heard).toEqual([bye(1)])
})
