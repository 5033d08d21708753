import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../src/base/bytes.ts'
import type { ReplicaId } from '../../src/base/ids.ts'
import { makeZxid, type Zxid } from '../../src/base/zxid.ts'
import type { Recovered, TxnLog } from '../../src/storage/txn-log.ts'
import type { Entry } from '../../src/zab/entry.ts'
import type { Change } from '../../src/zab/facts.ts'

export interface Subject {
  /** Claims the log anew, without closing what was opened before. */
  open(): Promise<{ readonly log: TxnLog; readonly recovered: Recovered }>
}

const NONE = 0 as Zxid
const STRICT = { relaxed: false, committed: NONE }
export const entry = (epoch: number, counter: number, kind: Entry['kind'] = 'txn'): Entry => ({
  zxid: makeZxid(epoch, counter),
  kind,
  bytes: utf8(`${epoch}:${counter}`),
})
export const run = (epoch: number, from: number, to: number): Entry[] =>
  Array.from({ length: to - from + 1 }, (_, i) => entry(epoch, from + i))
const append = (...entries: Entry[]): Change => ({ kind: 'append', entries })
/** Chunks, and whether their drawing was left in the middle. */
function drawing(names: readonly string[]): {
  readonly chunks: Iterable<Uint8Array>
  drawn: 'not' | 'in part' | 'ended'
} {
  const state: ReturnType<typeof drawing> = { drawn: 'not', chunks: draw() }
  function* draw(): Generator<Uint8Array> {
    state.drawn = 'in part'
    try {
      for (const name of names) yield utf8(name)
    } finally {
      state.drawn = 'ended'
    }
  }
  return state
}

const zxids = (recovered: Recovered): number[] => recovered.entries.map(({ zxid }) => zxid)

/** What every TxnLog keeps. `make` gives an empty one. */
export function txnLogContract(name: string, make: () => Promise<Subject>): void {
  describe(`the TxnLog contract: ${name}`, () => {
    it('finds after reopening what was written', async () => {
      const subject = await make()
      const { log, recovered } = await subject.open()
      expect(recovered.entries).toEqual([])
      await log.write([{ kind: 'acceptedEpoch', epoch: 3 }, append(...run(1, 1, 3), ...run(3, 1, 2))], {
        relaxed: false,
        committed: makeZxid(1, 2),
      })
      await log.write([{ kind: 'currentEpoch', epoch: 3 }], { relaxed: true, committed: NONE })
      const again = (await subject.open()).recovered
      expect(again.entries).toEqual([...run(1, 1, 3), ...run(3, 1, 2)])
      expect(again).toMatchObject({ acceptedEpoch: 3, currentEpoch: 3, base: 0, committed: makeZxid(1, 2) })
      expect(again.incarnation).toBeGreaterThan(recovered.incarnation)
    })

    it('keeps what a replica remembers of others, and that it was demoted', async () => {
      const subject = await make()
      const { log, recovered } = await subject.open()
      expect(recovered).toMatchObject({ memory: [], demoted: false })
      const of = [{ id: 7 as ReplicaId, acceptedEpoch: 3, currentEpoch: 2, zxid: makeZxid(2, 9) }]
      await log.write([{ kind: 'remember', of: [] }, append(...run(1, 1, 2))], { relaxed: false, committed: NONE })
      await log.write([{ kind: 'remember', of }], { relaxed: false, committed: NONE })
      await log.write([{ kind: 'demoted', demoted: true }], { relaxed: false, committed: NONE })
      expect((await subject.open()).recovered).toMatchObject({ memory: of, demoted: true })
    })

    it('keeps the order of writes given in one turn', async () => {
      const subject = await make()
      const { log } = await subject.open()
      const done: number[] = []
      await Promise.all(
        [1, 2, 3, 4, 5].map((n) =>
          log.write([append(entry(1, n))], { relaxed: n % 2 === 0, committed: NONE }).then(() => done.push(n)),
        ),
      )
      expect(done).toEqual([1, 2, 3, 4, 5])
      expect(zxids((await subject.open()).recovered)).toEqual(run(1, 1, 5).map(({ zxid }) => zxid))
    })

    it('cuts in the middle of a batch, and appends behind the cut', async () => {
      const subject = await make()
      const { log } = await subject.open()
      await log.write([append(...run(1, 1, 10))], { relaxed: false, committed: makeZxid(1, 4) })
      await log.write([append(...run(1, 11, 12))], STRICT)
      await log.write([{ kind: 'truncate', zxid: makeZxid(1, 4) }, append(entry(2, 1))], STRICT)
      const again = (await subject.open()).recovered
      expect(again.entries).toEqual([...run(1, 1, 4), entry(2, 1)])
      expect((await log.usage()).entries).toBe(5)
    })

    it('replaces log and snapshot by an install', async () => {
      const subject = await make()
      const { log } = await subject.open()
      await log.write([append(...run(1, 1, 5))], STRICT)
      const config = entry(4, 2, 'config')
      const chunks = [utf8('one'), utf8('two')]
      await log.write([{ kind: 'install', zxid: makeZxid(4, 7), config, chunks }, append(...run(4, 8, 9))], STRICT)
      const again = (await subject.open()).recovered
      expect(again).toMatchObject({ base: makeZxid(4, 7), baseConfig: config, snapshot: chunks })
      expect(again.entries).toEqual(run(4, 8, 9))
    })

    it('keeps a saved snapshot and what stands behind it', async () => {
      const subject = await make()
      const { log } = await subject.open()
      for (let n = 1; n <= 5; n++) await log.write([append(...run(1, n * 2 - 1, n * 2))], STRICT)
      await log.saveSnapshot(makeZxid(1, 7), null, [utf8('tree')], makeZxid(1, 5))
      await log.write([append(entry(1, 11))], STRICT)
      const again = (await subject.open()).recovered
      expect(again).toMatchObject({ base: makeZxid(1, 7), snapshot: [utf8('tree')] })
      expect(again.entries).toEqual(run(1, 8, 11))
    })

    it('draws a snapshot while the log goes on, and ends the drawing when it cannot be kept', async () => {
      const subject = await make()
      const { log } = await subject.open()
      await log.write([append(...run(1, 1, 6))], STRICT)
      const names = ['one', 'two', 'three']
      const saved = log.saveSnapshot(makeZxid(1, 6), null, drawing(names).chunks, makeZxid(1, 6))
      await log.write([append(...run(1, 7, 8))], STRICT)
      expect(await saved).toBe(names.length)
      const again = await subject.open()
      expect(again.recovered).toMatchObject({ base: makeZxid(1, 6), snapshot: names.map(utf8) })
      expect(again.recovered.entries).toEqual(run(1, 7, 8))
      const late = drawing(names)
      await expect(log.saveSnapshot(makeZxid(1, 8), null, late.chunks, makeZxid(1, 8))).rejects.toMatchObject({
        code: 'StorageFailed',
      })
      expect(late.drawn).not.toBe('in part')
    })

    it('goes back to the log when a snapshot is cut off with it', async () => {
      const subject = await make()
      const { log } = await subject.open()
      await log.write([append(...run(1, 1, 6))], STRICT)
      await log.saveSnapshot(makeZxid(1, 5), null, [utf8('tree')], NONE)
      await log.write([{ kind: 'truncate', zxid: makeZxid(1, 3) }], STRICT)
      const again = (await subject.open()).recovered
      expect(again).toMatchObject({ base: 0, snapshot: [] })
      expect(again.entries).toEqual(run(1, 1, 3))
    })

    it('refuses every write of a holder whose log was claimed anew', async () => {
      const subject = await make()
      const first = (await subject.open()).log
      await first.write([append(entry(1, 1))], STRICT)
      const second = await subject.open()
      const late = first.write([append(entry(1, 2))], STRICT)
      await expect(late).rejects.toMatchObject({ code: 'StorageFailed' })
      await expect(first.write([append(entry(1, 2))], STRICT)).rejects.toMatchObject({ code: 'StorageFailed' })
      await second.log.write([append(entry(2, 1))], STRICT)
      expect((await subject.open()).recovered.entries).toEqual([entry(1, 1), entry(2, 1)])
    })

    it('keeps a prefix, the writes that resolved, when it is claimed anew in the midst of writing', async () => {
      const subject = await make()
      const { log } = await subject.open()
      const outcomes: Promise<boolean>[] = []
      const issue = (from: number, to: number): void => {
        for (const one of run(1, from, to)) {
          const written = log.write([append(one), { kind: 'acceptedEpoch', epoch: one.zxid % 2 ** 32 }], STRICT)
          outcomes.push(
            written.then(
              () => true,
              () => false,
            ),
          )
        }
      }
      issue(1, 10)
      await outcomes[9]
      issue(11, 20)
      const anew = subject.open()
      issue(21, 30)
      await anew
      issue(31, 40)
      const kept = (await Promise.all(outcomes)).lastIndexOf(true) + 1
      expect((await Promise.all(outcomes)).slice(0, kept)).not.toContain(false)
      expect(kept).toBeGreaterThanOrEqual(10)
      expect(kept).toBeLessThan(40)
      const again = (await subject.open()).recovered
      expect(again.entries).toEqual(run(1, 1, kept))
      expect(again.acceptedEpoch).toBe(kept)
    })

    it('refuses an append that leaves a hole, and keeps nothing of it', async () => {
      const subject = await make()
      const { log } = await subject.open()
      await log.write([append(entry(1, 1))], STRICT)
      await expect(log.write([append(entry(1, 3))], STRICT)).rejects.toThrow(/does not follow/)
      expect((await subject.open()).recovered.entries).toEqual([entry(1, 1)])
    })

    it('writes nothing after close', async () => {
      const subject = await make()
      const { log } = await subject.open()
      const issued = log.write([append(entry(1, 1))], STRICT)
      await log.close()
      await issued
      await expect(log.write([append(entry(1, 2))], STRICT)).rejects.toMatchObject({ name: 'KeeperError' })
      expect((await subject.open()).recovered.entries).toEqual([entry(1, 1)])
    })

    it('is a list of entries, whatever is written in whatever groups', async () => {
      const step = fc.oneof(
        fc.record({
          kind: fc.constant('append' as const),
          count: fc.integer({ min: 1, max: 5 }),
          newEpoch: fc.boolean(),
        }),
        fc.record({ kind: fc.constant('truncate' as const), drop: fc.nat(4) }),
        fc.record({ kind: fc.constant('wait' as const) }),
      )
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
          const subject = await make()
          const { log } = await subject.open()
          const model: Entry[] = []
          let epoch = 1
          let writes: Promise<void>[] = []
          for (const one of steps) {
            if (one.kind === 'wait') {
              await Promise.all(writes)
              writes = []
            } else if (one.kind === 'append') {
              if (one.newEpoch) epoch++
              const last = model.at(-1)
              const from =
                last !== undefined && last.zxid >= makeZxid(epoch, 1) ? last.zxid - makeZxid(epoch, 0) + 1 : 1
              const more = run(epoch, from, from + one.count - 1)
              model.push(...more)
              writes.push(log.write([append(...more)], STRICT))
            } else {
              model.length = Math.max(0, model.length - one.drop)
              writes.push(log.write([{ kind: 'truncate', zxid: model.at(-1)?.zxid ?? NONE }], STRICT))
            }
          }
          await Promise.all(writes)
          expect((await subject.open()).recovered.entries).toEqual(model)
        }),
        { numRuns: 40 },
      )
    })
  })
}
