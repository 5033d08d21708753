import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../src/base/limits.ts'
import { DecodeError } from '../../../src/jute/reader.ts'
import type { SnapshotChunks } from '../../../src/tree/snapshot.ts'
import { State } from '../../../src/tree/state.ts'
import { A, B, create, Machine, nodesOf } from './ensemble.ts'

const big = new Uint8Array(100_000).fill(7)

/** Many nodes, so that a snapshot takes several chunks. */
function grown(): Machine {
  const machine = Machine.withSessions()
  machine.request(B, create('/zookeeper/quota/n'))
  machine.request(B, create('/zookeeper/quota/n/zookeeper_limits'))
  machine.request(B, create('/zookeeper/quota/n/zookeeper_stats'))
  machine.request(A, create('/n'))
  for (let i = 0; i < 12; i++) machine.request(A, create(`/n/${i}`, i % 3 === 0 ? 1 : 0, big))
  machine.applyAll()
  return machine
}

const step = fc.tuple(fc.constantFrom('set', 'delete', 'create', 'again', 'close', 'draw'), fc.nat({ max: 14 }))

function take(machine: Machine, kind: string, i: number): void {
  const path = `/n/${i}`
  const gone = { kind: 'delete', path, version: -1 } as const
  if (kind === 'set') machine.request(A, { kind: 'setData', path, data: new Uint8Array([i]), version: -1 })
  else if (kind === 'create') machine.request(B, create(path, 1))
  else if (kind === 'close') machine.ask({ kind: 'endSession', session: A })
  else machine.request(B, kind === 'delete' ? gone : { kind: 'multi', ops: [gone, create(path)] })
  machine.applyAll()
}

describe('snapshot', () => {
  it('is the state as of the call, however it is drawn while txns go on', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.array(step, { maxLength: 30 }), (before, between) => {
        const machine = grown()
        const forks: { readonly chunks: Uint8Array[]; readonly drawn: SnapshotChunks; readonly is: () => void }[] = []
        const begin = (): void => {
          const { digest, applied, sessions } = machine.state
          const nodes = nodesOf(machine.state)
          const count = sessions.size
          const drawn = machine.state.snapshot()
          const chunks: Uint8Array[] = []
          const is = (): void => {
            chunks.push(...drawn)
            for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(LIMITS.snapshotChunkBytes)
            const restored = State.restored(applied, chunks)
            expect(restored.digest).toBe(digest)
            expect(restored.sessions.size).toBe(count)
            expect(nodesOf(restored)).toEqual(nodes)
            expect([...restored.tree.ephemeralsOf(A)].every((path) => restored.tree.get(path)?.owner === A)).toBe(true)
          }
          forks.push({ chunks, drawn, is })
        }
        for (const steps of [before, between]) {
          begin()
          for (const [kind, i] of steps) {
            if (kind !== 'draw') take(machine, kind, i)
            for (const { chunks, drawn } of kind === 'draw' ? forks : []) {
              const next = drawn.next()
              if (next.done !== true) chunks.push(next.value)
            }
          }
        }
        for (const { is } of forks) is()
      }),
      { numRuns: 15 },
    )
  })

  it('goes on where the original goes on: quotas, sequences, digests', () => {
    const machine = grown()
    const restored = State.restored(machine.state.applied, [...machine.state.snapshot()])
    const txn = machine.request(B, create('/n/s-', 2, big))
    machine.applyAll()
    restored.apply(machine.state.applied, txn)
    expect(restored.digest).toBe(machine.state.digest)
    expect(nodesOf(restored)).toEqual(nodesOf(machine.state))
  })

  it('refuses what is no whole snapshot', () => {
    const [chunk = new Uint8Array(0), ...more] = [...grown().state.snapshot()]
    const refuse = (chunks: Uint8Array[]): void =>
      expect(() => State.restored(State.fresh().applied, chunks)).toThrow(DecodeError)
    refuse([])
    refuse([chunk])
    refuse([new Uint8Array([9]), chunk.subarray(1), ...more])
    refuse([...more, chunk])
  })
})
