import { expect, test } from 'vitest'
import type { Zxid } from '../../../src/base/zxid.ts'
import type { Message } from '../../../src/zab/messages.ts'
import { r, STATES, type Subject, stateOf, txn, z } from './subject.ts'

const nonce = 1
const none = new Uint8Array(0)

/** One message of every kind, as it would be right in its turn. */
const WORDS: { readonly [K in Message['kind']]: Extract<Message, { kind: K }> } = {
  notification: {
    kind: 'notification',
    state: 'looking',
    round: 1,
    leader: r(3),
    epoch: 1,
    zxid: z(1, 1),
    established: false,
    accepted: 1,
    room: false,
  },
  followerInfo: {
    kind: 'followerInfo',
    nonce: 5,
    acceptedEpoch: 1,
    snapshotWanted: false,
    demoted: false,
    insists: false,
  },
  leaderInfo: { kind: 'leaderInfo', nonce, epoch: 2, leader: r(3) },
  ackEpoch: { kind: 'ackEpoch', nonce, currentEpoch: 1, lastZxid: z(1, 2), epochEnds: [z(0, 2), z(1, 2)] },
  sync: { kind: 'sync', nonce, mode: 'diff', from: z(1, 2), voting: true, config: null },
  snapshotChunk: { kind: 'snapshotChunk', nonce, last: true, bytes: none },
  newLeader: { kind: 'newLeader', nonce, epoch: 2, last: z(1, 2) },
  ackNewLeader: { kind: 'ackNewLeader', nonce, epoch: 2, zxid: z(1, 2) },
  upToDate: { kind: 'upToDate', nonce, committed: z(1, 2) },
  candidate: { kind: 'candidate', nonce },
  proposal: { kind: 'proposal', nonce, entries: [txn(z(2, 1))] },
  ack: { kind: 'ack', nonce, zxid: z(1, 2) },
  commit: { kind: 'commit', nonce, zxid: z(1, 2) },
  inform: { kind: 'inform', nonce, entries: [txn(z(2, 1))] },
  ping: { kind: 'ping', nonce, token: 1, committed: z(1, 2), wanted: false },
  pong: { kind: 'pong', nonce, token: 0, touched: none },
  request: { kind: 'request', nonce, requests: [none] },
  syncRequest: { kind: 'syncRequest', nonce, tag: 1 },
  syncReply: { kind: 'syncReply', nonce, tag: 1, zxid: z(1, 2) },
  handOver: { kind: 'handOver', nonce },
  refuse: { kind: 'refuse', nonce, reason: 'go' },
  regressed: { kind: 'regressed', acceptedEpoch: 1, currentEpoch: 1, zxid: z(1, 9) },
  digest: { kind: 'digest', nonce, zxid: z(1, 2), digest: 'd' },
  diverged: { kind: 'diverged', nonce, zxid: z(1, 2), digest: 'e' },
  quarantine: { kind: 'quarantine', nonce },
  readmit: { kind: 'readmit', nonce },
  readmitted: { kind: 'readmitted', nonce },
  redirect: { kind: 'redirect', nonce, leader: r(3), to: [] },
}

const LEARNS = ['leaderInfo', 'ping', 'refuse', 'redirect', 'handOver']
const LEADS = ['followerInfo', 'pong']
/** What needs no attempt. */
const FREE = ['notification', 'regressed']
/** Who takes what. Everything else is refused by name. */
const LEGAL: Readonly<Record<string, readonly string[]>> = {
  'looking, settling': ['followerInfo'],
  looking: ['followerInfo'],
  'looking, no voter': ['followerInfo'],
  'looking, empty log': ['followerInfo'],
  'following, discovery': LEARNS,
  'following, promising': ['ping', 'refuse', 'redirect', 'handOver'],
  'following, synchronization': ['ping', 'refuse', 'redirect', 'handOver', 'sync'],
  'following, staged': ['ping', 'refuse', 'redirect', 'handOver', 'proposal', 'newLeader'],
  'following, durable': ['ping', 'refuse', 'redirect', 'handOver', 'proposal'],
  'following, acknowledged': ['ping', 'refuse', 'redirect', 'handOver', 'proposal', 'upToDate'],
  'following, broadcast': ['ping', 'refuse', 'redirect', 'handOver', 'proposal', 'commit', 'syncReply', 'digest'],
  'observing, broadcast': [
    'ping',
    'refuse',
    'redirect',
    'handOver',
    'inform',
    'commit',
    'candidate',
    'syncReply',
    'digest',
  ],
  'leading, discovery': ['followerInfo'],
  'leading, promised': [...LEADS, 'ackEpoch'],
  'leading, synchronization': [...LEADS, 'ackNewLeader'],
  'leading, broadcast': [...LEADS, 'ack', 'request', 'syncRequest', 'diverged'],
}

/** What a message did: marks, a refusal that was sent, and the state afterwards if it changed. */
function outcome(subject: Subject, message: Message): string {
  const before = stateOf(subject)
  const { committed, delivered } = subject.peer
  subject.marks.length = 0
  const orders = [...subject.receive(3, message), ...subject.hear({ kind: 'turnEnded' })]
  expect(subject.peer.committed).toBeGreaterThanOrEqual(committed)
  expect(subject.peer.delivered).toBeGreaterThanOrEqual(delivered)
  const told = orders.flatMap((order) =>
    order.kind === 'mark'
      ? [order.detail === '' ? order.name : `${order.name} (${order.detail})`]
      : order.kind === 'send' && order.message.kind === 'refuse'
        ? [`says: ${order.message.reason}`]
        : [],
  )
  const after = stateOf(subject)
  return [...told, ...(after === before ? [] : [`→ ${after}`])].join('; ')
}

test.each(Object.keys(STATES))('%s: takes what is its turn, refuses the rest by name', (state) => {
  const make = STATES[state] as () => Subject
  for (const message of Object.values(WORDS)) {
    const told = outcome(make(), message)
    const legal = FREE.includes(message.kind) || (LEGAL[state] ?? []).includes(message.kind)
    if (!legal) expect(told, message.kind).not.toBe('')
    const refused = /dropped|out of turn|out-of-turn|Proposal before|Proposal to/.test(told)
    if (legal) expect(refused, `${message.kind}: ${told}`).toBe(false)
  }
})

test('every outcome, for reading', async () => {
  const lines = Object.entries(STATES).flatMap(([state, make]) => [
    `${state}`,
    ...Object.values(WORDS).map((message) => `  ${message.kind.padEnd(14)} ${outcome(make(), message) || 'taken'}`),
    '',
  ])
  await expect(lines.join('\n')).toMatchFileSnapshot('refusals.txt')
})

test.each(Object.keys(STATES))('%s: of another link or another attempt, nothing counts', (state) => {
  for (const message of Object.values(WORDS)) {
    const subject = (STATES[state] as () => Subject)()
    const { role } = subject.peer
    subject.hear({ kind: 'received', from: r(3), link: 77 as never, message })
    expect(subject.marks.at(-1)).toBe('stale-linkId-dropped')
    if (message.kind !== 'notification' && message.kind !== 'followerInfo' && message.kind !== 'regressed') {
      subject.receive(3, { ...message, nonce: 99 })
      expect(subject.marks.at(-1)).toBe('stale-session-nonce-dropped')
    }
    expect(subject.peer.role).toBe(role)
  }
})

const later = z(7, 1)
const WRONG: readonly (readonly [string, string, Message])[] = [
  ['following, broadcast', 'a gap', { kind: 'proposal', nonce, entries: [txn(z(2, 2))] }],
  ['following, broadcast', 'a gap inside a batch', { kind: 'proposal', nonce, entries: [txn(z(2, 1)), txn(z(2, 3))] }],
  ['following, broadcast', 'no entries', { kind: 'proposal', nonce, entries: [] }],
  ['following, broadcast', 'a later epoch', { kind: 'proposal', nonce, entries: [txn(later)] }],
  [
    'following, broadcast',
    'a configuration that cannot be read',
    { kind: 'proposal', nonce, entries: [{ zxid: z(2, 1), kind: 'config', bytes: none }] },
  ],
  [
    'observing, broadcast',
    'a format that cannot be read',
    { kind: 'inform', nonce, entries: [{ zxid: z(2, 1), kind: 'format', bytes: none }] },
  ],
  ['observing, broadcast', 'a gap inside a batch', { kind: 'inform', nonce, entries: [txn(z(2, 1)), txn(z(2, 4))] }],
  ['following, broadcast', 'a commit beyond the log', { kind: 'commit', nonce, zxid: z(2, 1) }],
  ['following, durable', 'up to date before it is durable', WORDS.upToDate],
  ['following, acknowledged', 'up to date beyond the log', { kind: 'upToDate', nonce, committed: z(2, 1) }],
  ['following, staged', 'a gap', { kind: 'proposal', nonce, entries: [txn(z(1, 9))] }],
  ['following, staged', 'the end of other content', { kind: 'newLeader', nonce, epoch: 2, last: z(2, 1) }],
  ['following, staged', 'another epoch', { kind: 'newLeader', nonce, epoch: 3, last: z(1, 2) }],
  ['following, synchronization', 'a cut before what is committed', { ...WORDS.sync, mode: 'trunc', from: z(0, 2) }],
  [
    'following, synchronization',
    'a snapshot before what is committed',
    { ...WORDS.sync, mode: 'snap', from: 0 as Zxid },
  ],
  ['following, synchronization', 'a snapshot of a later epoch', { ...WORDS.sync, mode: 'snap', from: later }],
  [
    'following, synchronization',
    'a configuration that is a txn',
    { ...WORDS.sync, mode: 'snap', from: z(2, 1), config: txn(z(1, 1)) },
  ],
  ['following, synchronization', 'a common point that is not there', { ...WORDS.sync, from: z(1, 7) }],
  ['following, discovery', 'an earlier epoch', { kind: 'leaderInfo', nonce, epoch: 0, leader: r(3) }],
  ['looking', 'a round out of all reason', { ...WORDS.notification, round: 2 ** 50 }],
  ['leading, broadcast', 'an ack of what was never proposed', { kind: 'ack', nonce, zxid: later }],
  ['leading, broadcast', 'a pong of the future', { kind: 'pong', nonce, token: 99, touched: none }],
  ['leading, synchronization', 'an ack before ACK(NEWLEADER)', { kind: 'ack', nonce, zxid: z(1, 2) }],
  ['leading, promised', 'a follower that knows more', { ...WORDS.ackEpoch, lastZxid: z(1, 3) }],
]

test.each(WRONG)('%s: %s is refused by name', (state, _what, message) => {
  const subject = (STATES[state] as () => Subject)()
  const { pending, committed, delivered } = { ...subject.peer, pending: subject.peer.pending.length }
  expect(outcome(subject, message)).not.toBe('')
  expect(subject.peer.pending.length).toBe(pending)
  expect([subject.peer.committed, subject.peer.delivered]).toEqual([committed, delivered])
})

test.each<[string, Message]>([
  ['following, discovery', { kind: 'leaderInfo', nonce, epoch: 2 ** 20, leader: r(3) }],
  ['leading, discovery', { ...WORDS.followerInfo, acceptedEpoch: 2 ** 20 }],
])('%s: an epoch out of all reason ends the attempt, and is gone after as far as it may be', (state, message) => {
  const subject = (STATES[state] as () => Subject)()
  const before = subject.peer.acceptedEpoch
  expect(outcome(subject, message)).toMatch(/epoch too far ahead/)
  expect(subject.peer.acceptedEpoch).toBe(before + 2 ** 16)
  expect(subject.peer.role.kind).toBe('looking')
})
