/** The way to the disk: what was issued, and what it allows once it is durable. */
import { assert } from '../base/assert.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Change, Order } from './facts.ts'
import { formatAsked, tooNew } from './format.ts'
import { append, lastZxid, makeHistory, truncate } from './history.ts'
import { mark, type Peer, type PendingWrite, type Then } from './peer.ts'

/**
 * Issues one atomic write. Memory follows at once: it never runs ahead of what was issued, and a crash keeps a prefix of what
 * was issued. What may be *said* waits for `stored`.
 */
export function write(peer: Peer, changes: readonly Change[], then: Then, orders: Order[]): void {
  if (peer.halted) return
  const asked = formatAsked(changes)
  if (asked > peer.options.format) return halt(peer, 'UpdateNeeded', tooNew(asked, peer.options.format), orders)
  let restore: PendingWrite['restore'] = null
  for (const change of changes) {
    switch (change.kind) {
      case 'append':
        append(peer.history, change.entries)
        break
      case 'truncate':
        assert(change.zxid >= peer.committed, 'a committed entry would be cut off')
        truncate(peer.history, change.zxid)
        peer.durable.zxid = Math.min(peer.durable.zxid, change.zxid) as Zxid
        break
      case 'install':
        peer.history = makeHistory(change.zxid, change.config, [])
        peer.durable.zxid = 0 as Zxid
        peer.committed = change.zxid
        peer.delivered = change.zxid
        restore = { zxid: change.zxid, chunks: change.chunks }
        break
      case 'acceptedEpoch':
        assert(change.epoch >= peer.acceptedEpoch, 'a promise taken back')
        peer.acceptedEpoch = change.epoch
        break
      case 'currentEpoch':
        assert(
          change.epoch >= peer.currentEpoch && change.epoch <= peer.acceptedEpoch,
          'an epoch that was not promised',
        )
        peer.currentEpoch = change.epoch
        break
      case 'demoted':
        peer.demoted = change.demoted
        break
      case 'remember':
        break
    }
  }
  const id = peer.nextWrite++
  peer.pending.push({
    write: id,
    zxid: lastZxid(peer.history),
    acceptedEpoch: peer.acceptedEpoch,
    currentEpoch: peer.currentEpoch,
    then,
    restore,
  })
  const relaxed =
    peer.role.kind === 'following' && peer.role.mode === 'observer' && changes.every((one) => one.kind === 'append')
  orders.push({ kind: 'write', write: id, changes, relaxed })
}

/** The disk has everything up to `upTo`: what this allows, in the order in which it was issued. */
export function stored(peer: Peer, upTo: number, orders: Order[]): Then[] {
  const then: Then[] = []
  while (peer.pending.length > 0 && (peer.pending[0] as PendingWrite).write <= upTo) {
    const done = peer.pending.shift() as PendingWrite
    peer.durable = { zxid: done.zxid, acceptedEpoch: done.acceptedEpoch, currentEpoch: done.currentEpoch }
    if (done.restore !== null) {
      mark(orders, 'snap-applied')
      peer.diverged = false
      orders.push({ kind: 'restore', ...done.restore })
    }
    then.push(done.then)
  }
  return then
}

/** A snapshot that is not durable yet must not be overtaken by deliveries. */
export const restoring = (peer: Peer): boolean => peer.pending.some((one) => one.restore !== null)

export function halt(
  peer: Peer,
  code: 'UpdateNeeded' | 'StorageFailed' | 'Removed',
  reason: string,
  orders: Order[],
): void {
  if (peer.halted) return
  peer.halted = true
  orders.push({ kind: 'halt', code, reason })
}
