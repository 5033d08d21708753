import fc from 'fast-check'
import { test } from 'vitest'
import type { LinkId } from '../../../src/base/ids.ts'
import { formatZxid, type Zxid } from '../../../src/base/zxid.ts'
import type { Entry } from '../../../src/zab/entry.ts'
import type { Fact } from '../../../src/zab/facts.ts'
import { encodeFormat } from '../../../src/zab/membership.ts'
import type { Message } from '../../../src/zab/messages.ts'
import { anyMessage, messages } from '../transport/messages.ts'
import { configEntry, r, STATES, type Subject, txn, z } from './subject.ts'

const zxid = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(z(0, 2), z(1, 1), z(1, 2), z(1, 3), z(2, 1), z(2, 2)) },
  { weight: 1, arbitrary: fc.tuple(fc.nat(4), fc.nat(5)).map(([e, c]) => z(e, c)) },
)
const entry = (at: Zxid): fc.Arbitrary<Entry> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(txn(at)) },
    { weight: 1, arbitrary: fc.constantFrom(configEntry(at, [1, 3]), configEntry(at, [2], [1, 2, 3])) },
    { weight: 1, arbitrary: fc.constant<Entry>({ zxid: at, kind: 'config', bytes: new Uint8Array([1, 2]) }) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(0, 1)
        .map((v): Entry => ({ zxid: at, kind: 'format', bytes: v === 0 ? new Uint8Array(0) : encodeFormat(1) })),
    },
  )
const chaos = fc
  .uniqueArray(
    zxid.filter((at) => at > 0),
    { maxLength: 4 },
  )
  .chain((list) => fc.tuple(...list.sort((a, b) => a - b).map(entry)))
/** Mostly what the leader of epoch 2 would send next; sometimes with a hole, sometimes with anything. */
const entries = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .integer({ min: 1, max: 3 })
      .chain((n) => fc.tuple(...[1, 2, 3].slice(0, n).map((c) => entry(z(2, c))))),
  },
  { weight: 1, arbitrary: fc.constant([txn(z(2, 1)), txn(z(2, 3))]) },
  { weight: 1, arbitrary: chaos },
)

const TO_LEARNER = [
  'leaderInfo',
  'sync',
  'snapshotChunk',
  'proposal',
  'proposal',
  'newLeader',
  'upToDate',
  'commit',
  'inform',
  'candidate',
  'readmit',
  'ping',
  'syncReply',
] as const
const TO_LEADER = [
  'followerInfo',
  'ackEpoch',
  'ackNewLeader',
  'ack',
  'pong',
  'request',
  'syncRequest',
  'readmitted',
] as const
/** What somebody in this state may well hear, and now and then something else. */
const heardIn = (state: string): fc.Arbitrary<Message> =>
  fc.oneof(
    {
      weight: 8,
      arbitrary: state.startsWith('leading')
        ? fc.constantFrom(...TO_LEADER).chain((kind) => messages[kind])
        : state.startsWith('looking')
          ? messages.notification
          : fc.constantFrom(...TO_LEARNER).chain((kind) => messages[kind]),
    },
    { weight: 1, arbitrary: anyMessage },
  )

/** A message of right form whose content is near enough to the truth to get somewhere. */
const near = (state: string): fc.Arbitrary<Message> =>
  fc
    .record({
      message: heardIn(state),
      nonce: fc.constantFrom(1, 1, 1, 2),
      epoch: fc.nat(4),
      zxid,
      entries,
      token: fc.nat(3),
      leader: fc.constantFrom(1, 2, 3, 9, 77).map(r),
      ends: fc.array(zxid, { maxLength: 3 }).map((list) => list.sort((a, b) => a - b)),
      config: fc.option(zxid.filter((at) => at > 0).chain(entry), { nil: null }),
    })
    .map(({ message, nonce, epoch, zxid: at, entries: batch, token, leader, ends, config }): Message => {
      switch (message.kind) {
        case 'notification':
          return { ...message, round: message.round % 4, leader, epoch, zxid: at }
        case 'followerInfo':
          return { ...message, nonce, acceptedEpoch: epoch }
        case 'leaderInfo':
          return { ...message, nonce, epoch }
        case 'ackEpoch':
          return { ...message, nonce, currentEpoch: epoch - 1, lastZxid: at, epochEnds: ends }
        case 'sync':
          return { ...message, nonce, from: at, config }
        case 'newLeader':
          return { ...message, nonce, epoch, last: at }
        case 'ackNewLeader':
          return { ...message, nonce, epoch, zxid: at }
        case 'upToDate':
          return { ...message, nonce, committed: at }
        case 'proposal':
        case 'inform':
          return { ...message, nonce, entries: batch }
        case 'ack':
        case 'commit':
        case 'syncReply':
          return { ...message, nonce, zxid: at }
        case 'regressed':
          return { ...message, acceptedEpoch: epoch, currentEpoch: epoch, zxid: at }
        case 'ping':
        case 'pong':
          return { ...message, nonce, token }
        default:
          return { ...message, nonce }
      }
    })

type Deed = Fact | { readonly kind: 'store' }
const deed = (state: string): fc.Arbitrary<Deed> =>
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc
        .tuple(
          fc.constantFrom(3, 3, 3, 1, 9),
          fc.oneof({ weight: 9, arbitrary: near(state) }, { weight: 1, arbitrary: anyMessage }),
        )
        .map(([from, message]): Deed => ({ kind: 'received', from: r(from), link: from as LinkId, message })),
    },
    { weight: 3, arbitrary: fc.constant<Deed>({ kind: 'store' }) },
    { weight: 3, arbitrary: fc.constant<Deed>({ kind: 'turnEnded' }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 9000 }).map((now): Deed => ({ kind: 'ticked', now })) },
    { weight: 1, arbitrary: fc.constant<Deed>({ kind: 'requested', requests: [new Uint8Array([7])] }) },
    { weight: 1, arbitrary: fc.constant<Deed>({ kind: 'syncRequested', tag: 1 }) },
    { weight: 1, arbitrary: fc.constant<Deed>({ kind: 'stepDownRequested', reason: 'x' }) },
    { weight: 1, arbitrary: fc.constant<Deed>({ kind: 'woke', now: 9000, gap: 5000 }) },
    {
      weight: 1,
      arbitrary: fc
        .subarray([1, 2, 3, 9], { minLength: 1 })
        .map((list): Deed => ({ kind: 'reconfigRequested', tag: 1, voters: list.map(r) })),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(1, 3, 9)
        .map((id): Deed => ({ kind: 'linkClosed', peer: r(id), link: id as LinkId, reason: 'x' })),
    },
  )

test.each(Object.keys(STATES))('%s: nothing of legal form makes it throw, or takes back what is committed', (state) => {
  fc.assert(
    fc.property(fc.array(deed(state), { maxLength: 12 }), (deeds) => {
      const subject = (STATES[state] as () => Subject)()
      const { peer } = subject
      for (const one of deeds) {
        const { committed, delivered, acceptedEpoch, currentEpoch } = peer
        if (one.kind === 'store') subject.store()
        else subject.hear(one)
        subject.hear({ kind: 'turnEnded' })
        if (peer.committed < committed || peer.delivered < delivered)
          throw new Error(`committed ${formatZxid(committed)}, then ${formatZxid(peer.committed)}`)
        if (peer.acceptedEpoch < acceptedEpoch || peer.currentEpoch < currentEpoch)
          throw new Error('an epoch went back')
        if (peer.delivered > peer.committed) throw new Error('delivered before it was committed')
      }
    }),
    { numRuns: 1000 },
  )
})
