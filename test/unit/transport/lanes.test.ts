import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EnsembleId, LinkId, ReplicaId } from '../../../src/base/ids.ts'
import { LIMITS } from '../../../src/base/limits.ts'
import { makeZxid } from '../../../src/base/zxid.ts'
import type { ByteLink } from '../../../src/transport/byte-link.ts'
import { memoryLinkPair } from '../../../src/transport/memory-link.ts'
import { openPeerLink } from '../../../src/transport/open-peer-link.ts'
import type { Hello, IntroducingLink } from '../../../src/transport/peer-link.ts'
import type { Message } from '../../../src/zab/messages.ts'

const hello = (replica: number): Hello => ({
  ensemble: 'a'.repeat(32) as EnsembleId,
  replica: replica as ReplicaId,
  incarnation: 1,
  versionMin: 1,
  versionMax: 1,
  format: 1,
  browser: 'b',
  build: 'test',
})
const ping = (token: number): Message => ({ kind: 'ping', nonce: 1, token, committed: makeZxid(1, 1), wanted: false })
const commit = (counter: number): Message => ({ kind: 'commit', nonce: 1, zxid: makeZxid(1, counter) })
const chunk = (nonce: number, length: number): Message => ({
  kind: 'snapshotChunk',
  nonce,
  last: false,
  bytes: new Uint8Array(length).fill(nonce),
})
/** What a message is among those of its test. */
const named = (message: Message): string => {
  if (message.kind === 'ping') return `ping ${message.token}`
  if (message.kind === 'commit') return `commit ${message.zxid}`
  return message.kind === 'snapshotChunk' ? `chunk ${message.nonce} of ${message.bytes.length}` : message.kind
}

type Lane = 'control' | 'bulk'

/** Two channels of one connection: each keeps its order, and only the test moves them. */
class Wire {
  readonly waiting: Record<Lane, (() => void)[]> = { control: [], bulk: [] }
  readonly ends: readonly { readonly control: ByteLink; readonly bulk: ByteLink }[]

  constructor() {
    const pairOf = (lane: Lane) => memoryLinkPair({ schedule: (deliver) => void this.waiting[lane].push(deliver) })
    const [control, bulk] = [pairOf('control'), pairOf('bulk')]
    this.ends = [0, 1].map((end) => ({ control: control[end] as ByteLink, bulk: bulk[end] as ByteLink }))
  }

  /** The next frame of this channel, or of the other one. */
  move(lane: Lane): boolean {
    const deliver = this.waiting[lane].shift() ?? this.waiting[lane === 'bulk' ? 'control' : 'bulk'].shift()
    deliver?.()
    return deliver !== undefined
  }
}

async function pair(
  bulk: readonly [boolean, boolean] = [true, true],
): Promise<[Wire, IntroducingLink, IntroducingLink]> {
  const wire = new Wire()
  const opening = wire.ends.map((end, i) =>
    openPeerLink(end.control, hello(i + 1), {
      linkId: 1 as LinkId,
      ...(bulk[i] === true ? { bulk: end.bulk } : {}),
    }),
  )
  while (wire.move('control'));
  const [a, b] = (await Promise.all(opening)) as [IntroducingLink, IntroducingLink]
  return [wire, a, b]
}

function listen(link: IntroducingLink): string[] {
  const heard: string[] = []
  link.onmessages = (messages) => void heard.push(...messages.map(named))
  return heard
}

describe('a snapshot on its way', () => {
  it('delays no heartbeat and no introduction', async () => {
    const [wire, a, b] = await pair()
    const heard = listen(b)
    const introduced: string[] = []
    b.onintroduction = ({ text }) => void introduced.push(text)
    a.sendStream(Array.from({ length: 64 }, () => chunk(7, LIMITS.snapshotChunkBytes)))
    for (let i = 0; i < 20; i++) wire.move('bulk')
    a.send([commit(1), ping(1)])
    a.introduce({ from: 1 as ReplicaId, to: null, forward: false, text: 'who is new' })
    // The connection's two channels have turns.
    for (let i = 0; i < 6; i++) wire.move(i % 2 === 0 ? 'bulk' : 'control')
    expect([heard.filter((one) => one.startsWith('ping')), introduced]).toEqual([['ping 1'], ['who is new']])
    while (wire.move('bulk'));
    expect(heard.filter((one) => one.startsWith('chunk'))).toHaveLength(64)
    expect(heard.at(-1)).toBe(named(commit(1)))
  })

  it('goes in order with everything else where one side knows one channel only', async () => {
    for (const bulk of [
      [true, false],
      [false, true],
    ] as const) {
      const [wire, a, b] = await pair(bulk)
      const heard = listen(b)
      a.sendStream([chunk(7, 50_000), chunk(8, 50_000)])
      a.send([ping(1)])
      while (wire.move('bulk'));
      expect(heard).toEqual(['chunk 7 of 50000', 'chunk 8 of 50000', 'ping 1'])
    }
  })
})

type Said = { readonly kind: 'ping' | 'commit' } | { readonly kind: 'stream'; readonly lengths: readonly number[] }
const said: fc.Arbitrary<Said> = fc.oneof(
  fc.constant({ kind: 'ping' } as const),
  fc.constant({ kind: 'commit' } as const),
  fc.record({
    kind: fc.constant('stream' as const),
    lengths: fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 4 }),
  }),
)

describe('two channels', () => {
  it('keep the order of all but heartbeats, whichever is faster', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(said, { maxLength: 25 }), fc.infiniteStream(fc.boolean()), async (all, turns) => {
        const [wire, a, b] = await pair()
        const heard = listen(b)
        const sent: string[] = []
        for (const [i, one] of all.entries()) {
          const messages =
            one.kind === 'stream'
              ? one.lengths.map((length) => chunk(i, length))
              : [one.kind === 'ping' ? ping(i) : commit(i)]
          sent.push(...messages.map(named))
          if (one.kind === 'stream') a.sendStream(messages)
          else a.send(messages)
          if (turns.next().value) wire.move(turns.next().value ? 'bulk' : 'control')
        }
        while (wire.move(turns.next().value ? 'bulk' : 'control'));
        const isPing = (one: string): boolean => one.startsWith('ping')
        expect(heard.filter(isPing)).toEqual(sent.filter(isPing))
        expect(heard.filter((one) => !isPing(one))).toEqual(sent.filter((one) => !isPing(one)))
        expect(a.bufferedBytes).toBe(0)
      }),
      { numRuns: 200 },
    )
  })

  it('end together', async () => {
    for (const lane of ['control', 'bulk'] as const) {
      const [wire, a, b] = await pair()
      const ends: string[] = []
      a.onclose = (reason) => void ends.push(reason)
      b.onclose = (reason) => void ends.push(reason)
      wire.ends[0]?.[lane].close('gone')
      while (wire.move('control'));
      expect(ends).toEqual(['gone', 'gone'])
    }
  })

  it('bring nothing of the second one before the handshake', async () => {
    const wire = new Wire()
    const opening = openPeerLink(wire.ends[0]!.control, hello(1), { linkId: 1 as LinkId, bulk: wire.ends[0]!.bulk })
    wire.ends[1]?.bulk.send(new Uint8Array([0, 0, 0, 1, 9]))
    while (wire.move('bulk'));
    await expect(opening).rejects.toMatchObject({ code: 'ConnectionLoss' })
  })

  it('hold no more than a bounded amount out of turn', async () => {
    const [wire, a, b] = await pair()
    let end: readonly [string, boolean] | null = null
    b.onclose = (...how) => {
      end = how
    }
    // Pieces of the second channel of which the first has not told.
    const frame = new Uint8Array(LIMITS.frameBytesMax)
    new DataView(frame.buffer).setUint32(0, frame.length - 4)
    for (let bytes = 0; bytes < 2 * LIMITS.linkQueueBytesMax && end === null; bytes += frame.length) {
      wire.ends[0]?.bulk.send(frame)
      wire.move('bulk')
    }
    expect(end).toEqual([expect.stringContaining('BadPeer'), true])
    expect(a.peer).toBe(2)
  })
})
