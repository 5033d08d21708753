import { MessageChannel } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { equalBytes } from '../../../src/base/bytes.ts'
import type { EnsembleId, LinkId, ReplicaId } from '../../../src/base/ids.ts'
import { LIMITS } from '../../../src/base/limits.ts'
import { makeZxid } from '../../../src/base/zxid.ts'
import type { ByteLink } from '../../../src/transport/byte-link.ts'
import { encodeMessage } from '../../../src/transport/codec.ts'
import { encodeGreeting } from '../../../src/transport/hello.ts'
import { memoryLinkPair } from '../../../src/transport/memory-link.ts'
import { messagePortLink, type Port } from '../../../src/transport/message-port-link.ts'
import { openPeerLink, type PeerLinkOptions } from '../../../src/transport/open-peer-link.ts'
import type { Hello, PeerLink } from '../../../src/transport/peer-link.ts'
import type { Message } from '../../../src/zab/messages.ts'

const hello = (replica: number, more: Partial<Hello> = {}): Hello => ({
  ensemble: 'a'.repeat(32) as EnsembleId,
  replica: replica as ReplicaId,
  incarnation: 3,
  versionMin: 1,
  versionMax: 2,
  format: 1,
  browser: 'b',
  build: 'test',
  ...more,
})
const options = (more: Partial<PeerLinkOptions> = {}): PeerLinkOptions => ({ linkId: 1 as LinkId, ...more })
const ping = (token: number): Message => ({ kind: 'ping', nonce: 1, token, committed: makeZxid(1, 1), wanted: false })

async function pair(links: readonly [ByteLink, ByteLink] = memoryLinkPair()): Promise<[PeerLink, PeerLink]> {
  return Promise.all([openPeerLink(links[0], hello(1), options()), openPeerLink(links[1], hello(2), options())])
}

/** Resolves when `count` messages have come. */
function gather(link: PeerLink, count: number): Promise<Message[]> {
  return new Promise((resolve) => {
    const all: Message[] = []
    link.onmessages = (messages) => {
      all.push(...messages)
      if (all.length === count) resolve(all)
    }
  })
}

const codes = async (self: Partial<Hello>, peer: Partial<Hello>, more: Partial<PeerLinkOptions> = {}) => {
  const [a, b] = memoryLinkPair()
  const both = await Promise.allSettled([
    openPeerLink(a, hello(1, self), options(more)),
    openPeerLink(b, hello(2, peer), options()),
  ])
  return both.map((one) => (one.status === 'rejected' ? one.reason.code : 'open'))
}

describe('the handshake', () => {
  it('tells each side about the other', async () => {
    const [a, b] = await pair()
    expect([a.peer, b.peer]).toEqual([2, 1])
    expect(a.about).toEqual({ incarnation: 3, browser: 'b', format: 1, version: 2 })
  })

  it('refuses, on both sides and with one code, what does not fit', async () => {
    expect(await codes({ versionMin: 2 }, { versionMin: 1, versionMax: 1 })).toEqual(['UpdateNeeded', 'UpdateNeeded'])
    const other = await codes({}, { ensemble: 'b'.repeat(32) as EnsembleId })
    expect(other).toEqual(['EnsembleMismatch', 'EnsembleMismatch'])
    expect(await codes({}, { replica: 1 as ReplicaId })).toEqual(['BadArguments', 'BadArguments'])
    const lower = await codes({}, { incarnation: 2 }, { knownIncarnation: () => 3 })
    expect(lower).toEqual(['StorageFailed', 'StorageFailed'])
    expect(await codes({ format: 2 }, { format: 1 }, { requiredFormat: 2 })).toEqual(['UpdateNeeded', 'UpdateNeeded'])
    expect(await codes({ format: 2 }, { format: 1 })).toEqual(['open', 'open'])
  })

  it('ends at noise, at a message before it, at a close, and at its deadline', async () => {
    const frame = (bytes: Uint8Array) => new Uint8Array([0, 0, 0, bytes.length, ...bytes])
    for (const bad of [new Uint8Array(0), frame(new Uint8Array([1, 15])), frame(encodeGreeting({ kind: 'accept' }))]) {
      const [a, b] = memoryLinkPair()
      const opening = openPeerLink(a, hello(1), options())
      b.send(bad)
      await expect(opening).rejects.toMatchObject({ code: 'ConnectionLoss' })
    }
    const [c, d] = memoryLinkPair()
    const opening = openPeerLink(c, hello(1), options())
    d.close('gone')
    await expect(opening).rejects.toMatchObject({ code: 'ConnectionLoss' })
    const late = openPeerLink(memoryLinkPair()[0], hello(1), options({ signal: AbortSignal.timeout(5) }))
    await expect(late).rejects.toMatchObject({ code: 'Timeout' })
  })
})

describe('a peer link', () => {
  it('carries messages in order, large ones and streams among them', async () => {
    const [a, b] = await pair()
    const chunk: Message = { kind: 'snapshotChunk', nonce: 1, last: false, bytes: new Uint8Array(100_000).fill(7) }
    const came = gather(b, 7)
    a.send([ping(1), ping(2)])
    a.sendStream([chunk, chunk, chunk])
    a.send([ping(3), chunk])
    const all = await came
    expect(all.map((one) => (one.kind === 'ping' ? one.token : one.kind))).toEqual([
      1,
      2,
      chunk.kind,
      chunk.kind,
      chunk.kind,
      3,
      chunk.kind,
    ])
    expect(all.every((one) => one.kind === 'ping' || equalBytes(encodeMessage(one), encodeMessage(chunk)))).toBe(true)
    expect([a.sent, b.received]).toEqual([7, 7])
  })

  it('keeps for its listener what came early, and an end too', async () => {
    const [a, b] = await pair()
    a.send([ping(1)])
    await Promise.resolve()
    expect(await gather(b, 1)).toEqual([ping(1)])
    a.close('bye')
    await Promise.resolve()
    expect(await new Promise((resolve) => (b.onclose = (...end) => resolve(end)))).toEqual(['bye', false])
  })

  it('draws a stream only as the link drains', async () => {
    const waiting: (() => void)[] = []
    let slow = false
    const [a] = await pair(memoryLinkPair({ schedule: (go) => (slow ? waiting.push(go) : queueMicrotask(go)) }))
    slow = true
    let drawn = 0
    const chunk: Message = { kind: 'snapshotChunk', nonce: 1, last: false, bytes: new Uint8Array(256 * 1024) }
    a.sendStream(
      (function* () {
        for (; drawn < 40; drawn++) yield chunk
      })(),
    )
    expect(drawn).toBeLessThan(6)
    while (waiting.length > 0) waiting.shift()?.()
    expect(drawn).toBe(40)
  })

  it('cuts a slow peer off', async () => {
    let slow = false
    const [a] = await pair(memoryLinkPair({ schedule: (go) => (slow ? undefined : queueMicrotask(go)) }))
    slow = true
    const ends: unknown[] = []
    a.onclose = (reason) => ends.push(reason)
    const chunk: Message = { kind: 'snapshotChunk', nonce: 1, last: false, bytes: new Uint8Array(4 * 1024 * 1024) }
    const enough = LIMITS.linkQueueBytesMax / chunk.bytes.length + 2
    for (let i = 0; i < enough; i++) a.send([chunk])
    expect(ends).toEqual(['slow peer'])
  })

  it('closes as bad when it hears what it may not', async () => {
    const links = memoryLinkPair()
    const [a, b] = await pair(links)
    const end = new Promise((resolve) => {
      b.onclose = (_, bad) => resolve(bad)
    })
    links[0].send(new Uint8Array([0, 0, 0, 1, 99]))
    expect(await end).toBe(true)
    await Promise.resolve()
    expect(a.sent).toBe(0)
  })
})

describe('a link over a MessagePort', () => {
  it('carries more than its credit, drains, and tells why it closed', async () => {
    const { port1, port2 } = new MessageChannel()
    const [a, b] = await pair([messagePortLink(port1 as never as Port), messagePortLink(port2 as never as Port)])
    const chunk: Message = { kind: 'snapshotChunk', nonce: 1, last: false, bytes: new Uint8Array(200_000) }
    const came = gather(b, 20)
    a.sendStream(Array.from({ length: 20 }, () => chunk))
    expect(a.bufferedBytes).toBeGreaterThan(LIMITS.linkBufferedBytesMax / 2)
    expect(await came).toHaveLength(20)
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(a.bufferedBytes).toBeLessThan(128 * 1024)
    const end = new Promise((resolve) => {
      b.onclose = (reason) => resolve(reason)
    })
    a.close('moved away')
    expect(await end).toBe('moved away')
  })
})
