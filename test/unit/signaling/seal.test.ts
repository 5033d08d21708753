import { webcrypto } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { EnsembleId, ReplicaId } from '../../../src/base/ids.ts'
import { fromBase64, toBase64 } from '../../../src/signaling/base64.ts'
import { deriveRoomKey, lobbyTopic, type RoomKey } from '../../../src/signaling/room-key.ts'
import { Seal } from '../../../src/signaling/seal.ts'
import { Seen } from '../../../src/signaling/seen.ts'
import type { SealedSignal, Signal } from '../../../src/signaling/signal.ts'

const subtle = webcrypto.subtle as unknown as SubtleCrypto
const random = (into: Uint8Array<ArrayBuffer>) => webcrypto.getRandomValues(into)
const bytes = (fill: number) => new Uint8Array(32).fill(fill)
const ensemble = 'a'.repeat(32) as EnsembleId
const [ann, bob, eve] = [1, 2, 3] as [ReplicaId, ReplicaId, ReplicaId]

let key: RoomKey
beforeAll(async () => {
  key = await deriveRoomKey(bytes(7), 'room', subtle)
})
const seal = (self: ReplicaId, more: Partial<ConstructorParameters<typeof Seal>[0]> = {}) =>
  new Seal({ key: key.signals, topic: key.topic, self, subtle, random, ...more })
const announce = (from: ReplicaId, incarnation = 1): Signal => ({ kind: 'announce', ensemble, from, incarnation })
const offer = (from: ReplicaId, to: ReplicaId, attempt = 1): Signal => ({
  kind: 'signal',
  ensemble,
  from,
  incarnation: 1,
  to,
  attempt,
  data: { type: 'offer', sdp: 'v=0 geheim' },
})
const made = async (by: Seal, signal: Signal): Promise<SealedSignal> => {
  const sealed = await by.seal(signal)
  if (sealed === null) throw new Error('nothing was heard of the receiver')
  return sealed
}
/** Two that have heard of each other. */
async function met(): Promise<[Seal, Seal]> {
  const [a, b] = [seal(ann), seal(bob)]
  await b.open(await made(a, announce(ann)))
  await a.open(await made(b, announce(bob)))
  return [a, b]
}

describe('the room key', () => {
  it('differs by secret and by name, and is the same for the same', async () => {
    const all = await Promise.all([
      deriveRoomKey(bytes(7), 'room', subtle),
      deriveRoomKey(bytes(8), 'room', subtle),
      deriveRoomKey(bytes(7), 'room 2', subtle),
      deriveRoomKey('correct horse', 'room', subtle),
      deriveRoomKey('correct horse', 'room 2', subtle),
    ])
    const again = await deriveRoomKey('correct horse', 'room', subtle)
    for (const field of ['topic', 'tag'] as const) expect(new Set(all.map((one) => one[field])).size).toBe(5)
    expect(new Set(all.map(({ link }) => toBase64(link))).size).toBe(5)
    expect([again.topic, again.tag, again.link]).toEqual([all[3]?.topic, all[3]?.tag, all[3]?.link])
    expect(again.signals.extractable).toBe(false)
    // What a password became is a secret like any other.
    const byRoot = await deriveRoomKey(again.root, 'room', subtle)
    expect([byRoot.topic, byRoot.link]).toEqual([again.topic, again.link])
    expect(await lobbyTopic('room', subtle)).toMatch(/^[0-9a-f]{32}$/)
  })
})

describe('a seal', () => {
  it('shows the one it is for what was said, and nobody else anything', async () => {
    const [a, b] = await met()
    const sealed = await made(a, offer(ann, bob))
    expect(JSON.stringify(sealed)).not.toContain('geheim')
    expect(JSON.stringify(sealed)).not.toContain(ensemble)
    expect(await seal(eve).open(sealed)).toEqual({ kind: 'notOurs' })
    expect(await b.open(sealed)).toEqual({ kind: 'signal', signal: offer(ann, bob) })
  })

  it('says nothing to somebody of whom nothing was heard', async () => {
    expect(await seal(ann).seal(offer(ann, bob))).toBeNull()
  })

  it('never looks the same twice', async () => {
    const a = seal(ann)
    const boxes = await Promise.all(Array.from({ length: 50 }, async () => (await made(a, announce(ann))).box))
    expect(new Set(boxes.map((box) => box.slice(0, 16))).size).toBe(50)
  })

  it('is refused with any bit altered', async () => {
    const [a, b] = await met()
    const sealed = await made(a, offer(ann, bob))
    const whole = fromBase64(sealed.box) as Uint8Array
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length * 8 - 1), async (bit) => {
        const altered = whole.slice()
        altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7))
        expect(await b.open({ ...sealed, box: toBase64(altered) })).toEqual({ kind: 'forged' })
      }),
      { numRuns: 300 },
    )
    expect((await b.open(sealed)).kind).toBe('signal')
  })

  it('is refused when cut, when lengthened, and when it is noise', async () => {
    const [a, b] = await met()
    const { box, ...rest } = await made(a, announce(ann))
    const whole = fromBase64(box) as Uint8Array
    const wrong = [whole.slice(0, 11), whole.slice(0, 12), whole.slice(0, -1), new Uint8Array([...whole, 0])]
    for (const bad of [...wrong.map(toBase64), '', '%', 'x'.repeat(70_000)])
      expect(await b.open({ ...rest, box: bad })).toEqual({ kind: 'forged' })
  })

  it('is refused under another sender, receiver, topic or key', async () => {
    const [a, b] = await met()
    const sealed = await made(a, offer(ann, bob))
    const open = await made(a, announce(ann))
    expect(await b.open({ ...sealed, from: eve })).toEqual({ kind: 'forged' })
    expect(await b.open({ ...sealed, to: null })).toEqual({ kind: 'forged' })
    expect(await b.open({ ...open, to: bob })).toEqual({ kind: 'forged' })
    expect(await seal(eve).open({ ...sealed, to: eve })).toEqual({ kind: 'forged' })
    expect(await seal(bob, { topic: 'elsewhere' }).open(open)).toEqual({ kind: 'forged' })
    const other = await deriveRoomKey(bytes(8), 'room', subtle)
    expect(await seal(bob, { key: other.signals }).open(open)).toEqual({ kind: 'forged' })
    expect(await b.open({ ...sealed, from: bob })).toEqual({ kind: 'notOurs' })
  })

  it('is refused when a member speaks as another one', async () => {
    const b = seal(bob)
    expect(await b.open(await made(seal(ann), announce(eve)))).toEqual({ kind: 'forged' })
  })

  it('counts once, in whatever order', async () => {
    const [a, b] = await met()
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => made(a, offer(ann, bob, i))))
    for (const one of [...all].reverse()) expect((await b.open(one)).kind).toBe('signal')
    for (const one of all) expect(await b.open(one)).toEqual({ kind: 'replayed' })
  })

  it('counts only in the life that it was made for, and for', async () => {
    const [a, b] = await met()
    const said = await made(a, offer(ann, bob))
    const again = seal(bob)
    expect(await again.open(said)).toEqual({ kind: 'notOurs' })
    // What was said to everybody an incarnation ago is over, once the later one was heard.
    const old = await made(a, announce(ann))
    expect((await b.open(await made(seal(ann), announce(ann, 2)))).kind).toBe('signal')
    expect(await b.open(old)).toEqual({ kind: 'replayed' })
  })

  it('of a goodbye can be made long before, and may come twice', async () => {
    const [a, b] = await met()
    const goodbye = await made(a, { kind: 'bye', ensemble, from: ann, incarnation: 1 })
    for (let i = 0; i < 600; i++) await b.open(await made(a, announce(ann)))
    expect((await b.open(goodbye)).kind).toBe('signal')
    expect((await b.open(goodbye)).kind).toBe('signal')
  })
})

it('numbers are new once, and old ones never', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 2000 }), { maxLength: 400 }), (numbers) => {
      const seen = new Seen()
      const before = new Set<number>()
      let highest = 0
      for (const n of numbers) {
        expect(seen.isNew(n)).toBe(n > highest - 512 && !before.has(n))
        before.add(n)
        highest = Math.max(highest, n)
      }
    }),
  )
})
