import fc from 'fast-check'
import type { ReplicaId } from '../../../src/base/ids.ts'
import { COUNTER_MAX, EPOCH_MAX, makeZxid, type Zxid } from '../../../src/base/zxid.ts'
import { ENTRY_KINDS, type Entry } from '../../../src/zab/entry.ts'
import type { Message } from '../../../src/zab/messages.ts'

const long = fc.maxSafeNat()
const epoch = fc.integer({ min: 0, max: EPOCH_MAX })
const zxid = fc.tuple(epoch, fc.integer({ min: 0, max: COUNTER_MAX })).map(([e, counter]): Zxid => makeZxid(e, counter))
const replica = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map((id) => id as ReplicaId)
const bytes = fc.uint8Array({ maxLength: 60 })
const entry: fc.Arbitrary<Entry> = fc.record({
  zxid: zxid.filter((z) => z > 0),
  kind: fc.constantFrom(...ENTRY_KINDS),
  bytes,
})
const entries = fc
  .uniqueArray(entry, { maxLength: 8, selector: (e: Entry) => e.zxid })
  .map((list) => list.sort((a, b) => a.zxid - b.zxid))
const kind = <K extends Message['kind']>(k: K) => fc.constant(k)

/** Every kind of message. */
export const messages: { readonly [K in Message['kind']]: fc.Arbitrary<Message> } = {
  notification: fc.record({
    kind: kind('notification'),
    state: fc.constantFrom('looking', 'following', 'leading', 'observing'),
    round: long,
    leader: replica,
    epoch,
    zxid,
    established: fc.boolean(),
    accepted: epoch,
    room: fc.boolean(),
  }),
  followerInfo: fc.record({
    kind: kind('followerInfo'),
    nonce: long,
    acceptedEpoch: epoch,
    snapshotWanted: fc.boolean(),
    demoted: fc.boolean(),
    insists: fc.boolean(),
  }),
  leaderInfo: fc.record({ kind: kind('leaderInfo'), nonce: long, epoch, leader: replica }),
  ackEpoch: fc.record({
    kind: kind('ackEpoch'),
    nonce: long,
    currentEpoch: fc.integer({ min: -1, max: EPOCH_MAX }),
    lastZxid: zxid,
    epochEnds: fc.array(zxid).map((ends) => ends.sort((a, b) => a - b)),
  }),
  sync: fc.record({
    kind: kind('sync'),
    nonce: long,
    mode: fc.constantFrom('diff', 'trunc', 'snap'),
    from: zxid,
    config: fc.option<Entry, null>(entry, { nil: null }),
    voting: fc.boolean(),
  }),
  snapshotChunk: fc.record({ kind: kind('snapshotChunk'), nonce: long, last: fc.boolean(), bytes }),
  newLeader: fc.record({ kind: kind('newLeader'), nonce: long, epoch, last: zxid }),
  ackNewLeader: fc.record({ kind: kind('ackNewLeader'), nonce: long, epoch, zxid }),
  upToDate: fc.record({ kind: kind('upToDate'), nonce: long, committed: zxid }),
  candidate: fc.record({ kind: kind('candidate'), nonce: long }),
  proposal: fc.record({ kind: kind('proposal'), nonce: long, entries }),
  ack: fc.record({ kind: kind('ack'), nonce: long, zxid }),
  commit: fc.record({ kind: kind('commit'), nonce: long, zxid }),
  inform: fc.record({ kind: kind('inform'), nonce: long, entries }),
  ping: fc.record(
    {
      kind: kind('ping'),
      nonce: long,
      token: long,
      committed: zxid,
      wanted: fc.boolean(),
      named: fc.array(replica, { maxLength: 4 }),
    },
    { requiredKeys: ['kind', 'nonce', 'token', 'committed', 'wanted'] },
  ),
  pong: fc.record(
    { kind: kind('pong'), nonce: long, token: long, touched: bytes, hidden: fc.boolean() },
    { requiredKeys: ['kind', 'nonce', 'token', 'touched'] },
  ),
  request: fc.record({ kind: kind('request'), nonce: long, requests: fc.array(bytes) }),
  syncRequest: fc.record({ kind: kind('syncRequest'), nonce: long, tag: long }),
  syncReply: fc.record({ kind: kind('syncReply'), nonce: long, tag: long, zxid }),
  handOver: fc.record({ kind: kind('handOver'), nonce: long, to: replica }, { requiredKeys: ['kind', 'nonce'] }),
  regressed: fc.record({ kind: kind('regressed'), acceptedEpoch: epoch, currentEpoch: epoch, zxid }),
  digest: fc.record({ kind: kind('digest'), nonce: long, zxid, digest: fc.string({ maxLength: 16 }) }),
  diverged: fc.record({ kind: kind('diverged'), nonce: long, zxid, digest: fc.string({ maxLength: 16 }) }),
  quarantine: fc.record({ kind: kind('quarantine'), nonce: long }),
  readmit: fc.record({ kind: kind('readmit'), nonce: long }),
  readmitted: fc.record({ kind: kind('readmitted'), nonce: long }),
  redirect: fc.record({ kind: kind('redirect'), nonce: long, leader: replica, to: fc.array(replica) }),
  refuse: fc.record({ kind: kind('refuse'), nonce: long, reason: fc.string({ maxLength: 100 }) }),
}

export const anyMessage = fc.oneof(...Object.values(messages))
