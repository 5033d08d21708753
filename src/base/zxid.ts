import { assert } from './assert.ts'

/**
 * A transaction's place in the one order: `epoch * 2^32 + counter`, one JavaScript number, so that `<` is the order and
 * IndexedDB takes it as a key. On the wire it is ZooKeeper's 64-bit long with the same layout.
 */
export type Zxid = number & { readonly __zxid: never }

const COUNTERS = 2 ** 32
/** Epochs stay below 2^21, so that a zxid is a safe integer. */
export const EPOCH_MAX: number = 2 ** 21 - 1
/** A full counter forces a new epoch (ZOOKEEPER-1277). */
export const COUNTER_MAX: number = COUNTERS - 1

export const ZXID_NONE: Zxid = 0 as Zxid

export function makeZxid(epoch: number, counter: number): Zxid {
  assert(Number.isInteger(epoch) && epoch >= 0 && epoch <= EPOCH_MAX, 'epoch out of range')
  assert(Number.isInteger(counter) && counter >= 0 && counter <= COUNTER_MAX, 'counter out of range')
  return (epoch * COUNTERS + counter) as Zxid
}

export const epochOf = (zxid: Zxid): number => Math.floor(zxid / COUNTERS)
export const counterOf = (zxid: Zxid): number => zxid % COUNTERS

/** The zxid that follows within the same epoch. */
export const nextZxid = (zxid: Zxid): Zxid => makeZxid(epochOf(zxid), counterOf(zxid) + 1)

/** May `next` stand directly behind `previous` in a log? The next counter of one epoch, or the first of a later one. */
export const follows = (previous: Zxid, next: Zxid): boolean =>
  epochOf(next) === epochOf(previous)
    ? next === previous + 1
    : epochOf(next) > epochOf(previous) && counterOf(next) === 1

/** ZooKeeper prints zxids as hexadecimal; so do we, with the epoch set off: `0x2:1f`. */
export const formatZxid = (zxid: Zxid): string => `${epochOf(zxid).toString(16)}:${counterOf(zxid).toString(16)}`

export const isZxid = (value: unknown): value is Zxid =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value < (EPOCH_MAX + 1) * COUNTERS
