import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { LinkId, ReplicaId } from '../../../src/base/ids.ts'
import { EPOCH_MAX, makeZxid } from '../../../src/base/zxid.ts'
import type { ByteLink } from '../../../src/transport/byte-link.ts'
import { encodeMessage, PEER_VERSION, PEER_VERSION_MAX } from '../../../src/transport/codec.ts'
import { memoryLinkPair } from '../../../src/transport/memory-link.ts'
import { openPeerLink } from '../../../src/transport/open-peer-link.ts'
import type { PeerLink } from '../../../src/transport/peer-link.ts'
import { FORMAT_VERSION } from '../../../src/zab/membership.ts'
import type { Message } from '../../../src/zab/messages.ts'
import { anyMessage } from '../transport/messages.ts'
import { ENSEMBLE, linkAll, Tab } from './tabs.ts'
import { VirtualTime } from './virtual-time.ts'

/** Has the secret, and means harm: a member that never was a voter. */
const LIAR = 9 as ReplicaId
let links = 1000

const helloOf = (replica: ReplicaId, incarnation: number) => ({
  ensemble: ENSEMBLE,
  replica,
  incarnation,
  versionMin: PEER_VERSION,
  versionMax: PEER_VERSION_MAX,
  format: FORMAT_VERSION,
  browser: `browser ${replica}`,
  build: 'test',
})

interface Liar {
  readonly bytes: ByteLink
  readonly link: PeerLink
  /** Did the other side cut it off as bad? */
  readonly cutOff: () => boolean
}

async function ensemble() {
  const time = new VirtualTime()
  const tabs = [1, 2, 3].map((id) => new Tab(time, id)) as [Tab, Tab, Tab]
  await linkAll(tabs)
  const voters = async () => (await tabs[0].replica.inspect()).voters.length
  for (let left = 100; (await voters()) < 3; left--) {
    if (left === 0) throw new Error('nobody was voted in')
    await time.advance(100)
  }
  await time.advance(300)
  return { time, tabs, clients: [tabs[1].client(), tabs[2].client()] as const }
}

/** By the product's own handshake. */
async function intrude(tab: Tab): Promise<Liar> {
  const [bytes, far] = memoryLinkPair()
  let closed = false
  const id = (): LinkId => ++links as LinkId
  const [link, theirs] = await Promise.all([
    openPeerLink(bytes, helloOf(LIAR, 1), { linkId: id() }),
    openPeerLink(far, helloOf(tab.id, tab.disk.incarnation), { linkId: id() }),
  ])
  link.onmessages = () => undefined
  link.onclose = () => {
    closed = true
  }
  tab.replica.linkOpened(theirs)
  return { bytes, link, cutOff: () => closed }
}

let written = 0

/** Nobody but the liar noticed: the same leader in the same epoch, and a write through each of the others is everywhere. */
async function unharmed({ time, tabs, clients }: Awaited<ReturnType<typeof ensemble>>): Promise<void> {
  for (const client of clients) {
    let path: string | null = null
    client.create(`/n${++written}`, 'x').then((made) => {
      path = made.path
    }, String)
    await time.until(() => path !== null)
  }
  await time.advance(500)
  const states = await Promise.all(tabs.map((tab) => tab.replica.inspect()))
  expect(states.map(({ role }) => role)).toEqual(['leading', 'following', 'following'])
  expect(states.map(({ voters }) => voters)).toEqual(Array(3).fill([1, 2, 3]))
  expect(new Set(states.map(({ server }) => server.digest)).size).toBe(1)
  expect(states.map(({ epoch }) => epoch)).toEqual(Array(3).fill({ accepted: 1, current: 1 }))
}

const bytesOf = (...all: number[]): Uint8Array => new Uint8Array(all)

const CUT = encodeMessage({ kind: 'ack', nonce: 1, zxid: makeZxid(1, 1) }).subarray(0, -3)

test.each([
  ['a frame of no known form', bytesOf(0, 0, 0, 1, 99)],
  ['an empty frame', bytesOf()],
  ['a message of 2 GiB announced', bytesOf(0x7f, 0xff, 0xff, 0xff, 15)],
  ['a message cut within', bytesOf(0, 0, 0, CUT.length, ...CUT)],
])('a member that sends %s is cut off by leader and follower, and nobody else notices', async (_, bytes) => {
  const here = await ensemble()
  for (const tab of here.tabs.slice(0, 2)) {
    const liar = await intrude(tab)
    liar.bytes.send(bytes)
    await here.time.advance(300)
    expect(liar.cutOff()).toBe(true)
    expect(tab.notices.join()).toMatch(/BadPeer/)
  }
  expect(here.tabs[2].notices).toEqual([])
  await unharmed(here)
})

const old = makeZxid(0, 1)
const forged = { zxid: makeZxid(7, 1), kind: 'txn', bytes: new Uint8Array(40) } as const
const orders = (nonce: number): Message[] => [
  { kind: 'leaderInfo', nonce, epoch: 0, leader: LIAR },
  { kind: 'sync', nonce, mode: 'trunc', from: old, voting: true, config: null },
  { kind: 'newLeader', nonce, epoch: 0, last: old },
  { kind: 'proposal', nonce, entries: [forged] },
  { kind: 'commit', nonce, zxid: forged.zxid },
  { kind: 'upToDate', nonce, committed: forged.zxid },
  { kind: 'inform', nonce, entries: [forged] },
  { kind: 'handOver', nonce },
  { kind: 'readmit', nonce },
  { kind: 'quarantine', nonce },
]

test('orders of an epoch that is over, of one that never was, and from somebody who does not lead, are not followed', async () => {
  const here = await ensemble()
  for (const tab of here.tabs)
    for (const nonce of [0, 1, 2, 2 ** 40]) for (const order of orders(nonce)) (await intrude(tab)).link.send([order])
  await here.time.advance(300)
  for (const tab of here.tabs)
    expect((await tab.replica.inspect()).marks['stale-session-nonce-dropped']).toBe(4 * orders(0).length)
  await unharmed(here)
})

test('a vote for itself of the highest epoch, and a promise of it, use up nothing and depose nobody', async () => {
  const here = await ensemble()
  const vote = { round: 2 ** 40, leader: LIAR, epoch: EPOCH_MAX, zxid: makeZxid(EPOCH_MAX, 1), established: true }
  for (const tab of here.tabs) {
    for (const state of ['looking', 'leading', 'following'] as const)
      (await intrude(tab)).link.send([{ kind: 'notification', state, ...vote, accepted: EPOCH_MAX, room: true }])
    const hello = { kind: 'followerInfo', nonce: 1, snapshotWanted: false, demoted: false, insists: true } as const
    ;(await intrude(tab)).link.send([{ ...hello, acceptedEpoch: EPOCH_MAX }])
  }
  await here.time.advance(300)
  expect((await here.tabs[0].replica.inspect()).marks['epoch-jump-refused']).toBe(1)
  await unharmed(here)
})

test('who says that it is an earlier life of a voter gets no link', async () => {
  const here = await ensemble()
  const [first, second] = here.tabs
  const [near, far] = memoryLinkPair()
  const both = await Promise.allSettled([
    openPeerLink(near, helloOf(second.id, second.disk.incarnation - 1), { linkId: 1 as LinkId }),
    openPeerLink(far, helloOf(first.id, first.disk.incarnation), {
      linkId: 2 as LinkId,
      knownIncarnation: () => second.disk.incarnation,
    }),
  ])
  expect(both.map((one) => (one.status === 'rejected' ? one.reason.code : 'open'))).toEqual([
    'StorageFailed',
    'StorageFailed',
  ])
  await unharmed(here)
})

test('whatever words of the protocol it says, to whomever: it changes nothing that the others agree on', async () => {
  // What a member may ask for, it gets: requests are written, sessions touched, and who promised a later epoch gets an election.
  const words = anyMessage.filter(
    (word) =>
      word.kind !== 'request' &&
      word.kind !== 'regressed' &&
      !(word.kind === 'followerInfo' && word.acceptedEpoch > 1 && word.acceptedEpoch < 18),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(2), words), { minLength: 20, maxLength: 60 }), async (all) => {
      const here = await ensemble()
      for (const [at, word] of all) (await intrude(here.tabs[at] as Tab)).link.send([word])
      await here.time.advance(300)
      await unharmed(here)
    }),
    { numRuns: 15, seed: 5 },
  )
})
