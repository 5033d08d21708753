import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from '../../../src/base/errors.ts'
import { LIMITS } from '../../../src/base/limits.ts'
import type { Request } from '../../../src/jute/protocol.ts'
import { State } from '../../../src/tree/state.ts'
import { A, create, Machine, nodesOf } from './ensemble.ts'

const SEQUENTIAL = 2
const set = (path: string): Request => ({ kind: 'setData', path, data: null, version: -1 })
const remembered = (machine: Machine): number => machine.state.sessions.replies(A)?.size ?? -1

describe('a request that is asked again under its number', () => {
  it('is answered as it was, applied or outstanding, and not done twice', () => {
    for (const lag of [0, 1]) {
      const machine = Machine.numbering()
      machine.numbered(1, create('/s-', SEQUENTIAL))
      const [first] = lag === 0 ? machine.applyAll() : []
      expect(machine.numbered(1, create('/s-', SEQUENTIAL)).body).toEqual({ kind: 'again' })
      const applied = [first, ...machine.applyAll()].filter((one) => one !== undefined)
      expect(applied.map(({ error, outcomes }) => ({ error, outcomes }))).toEqual(
        Array(2).fill({ error: 0, outcomes: [expect.objectContaining({ path: '/s-0000000000' })] }),
      )
      expect(applied[1]?.changes).toEqual([])
      expect(machine.state.tree.get('/')?.numChildren).toBe(2)
    }
  })

  it('has failed again if it failed, though it could be done by now', () => {
    const machine = Machine.numbering()
    machine.numbered(1, set('/a'))
    machine.numbered(2, create('/a'))
    machine.numbered(1, set('/a'))
    expect(machine.applyAll().map(({ error }) => error)).toEqual([ERROR_CODES.NoNode, 0, ERROR_CODES.NoNode])
    expect(machine.state.tree.get('/a')?.version).toBe(0)
  })

  it('is known to a later leader, and to one that has only a snapshot', () => {
    const machine = Machine.numbering()
    machine.numbered(1, create('/s-', SEQUENTIAL))
    machine.numbered(2, { kind: 'multi', ops: [create('/m'), { kind: 'check', path: '/none', version: -1 }] })
    machine.numbered(3, set('/s-0000000000'))
    machine.applyAll()
    const restored = State.restored(machine.state.applied, [...machine.state.snapshot()])
    expect(restored.digest).toBe(machine.state.digest)
    for (const state of [machine.state, restored]) {
      const later = machine.succeeded(state)
      later.numbered(1, create('/s-', SEQUENTIAL))
      later.numbered(2, { kind: 'multi', ops: [create('/m'), { kind: 'check', path: '/none', version: -1 }] })
      later.numbered(3, set('/s-0000000000'))
      expect(later.applyAll()).toMatchObject([
        { error: 0, outcomes: [{ kind: 'create', path: '/s-0000000000', stat: { version: 0 } }] },
        { error: ERROR_CODES.NoNode, outcomes: [{ code: 0 }, { code: ERROR_CODES.NoNode }] },
        { error: 0, outcomes: [{ kind: 'stat', stat: { version: 1 } }] },
      ])
      expect(state.tree.get('/s-0000000000')?.version).toBe(1)
    }
    expect(restored.digest).toBe(machine.state.digest)
  })

  it('means nothing to who numbers nothing', () => {
    const machine = Machine.withSessions()
    machine.request(A, create('/s-', SEQUENTIAL))
    machine.request(A, create('/s-', SEQUENTIAL))
    machine.applyAll()
    expect(machine.state.tree.get('/')?.numChildren).toBe(3)
  })
})

describe('replies are forgotten', () => {
  it('when they were read; what is asked again all the same is not done, and in doubt', () => {
    const machine = Machine.numbering()
    machine.numbered(1, create('/a'))
    machine.numbered(2, create('/b'))
    machine.applyAll()
    expect(remembered(machine)).toBe(2)
    machine.numbered(4, set('/a'), 2)
    machine.applyAll()
    expect(remembered(machine)).toBe(1)
    machine.numbered(2, { kind: 'delete', path: '/b', version: -1 }, 2)
    expect(machine.applyAll()).toMatchObject([{ error: ERROR_CODES.ConnectionLoss }])
    expect(machine.state.tree.get('/b')).toBeDefined()
    expect(remembered(machine)).toBe(1)
  })

  it('when they are too many, the oldest first', () => {
    const machine = Machine.numbering()
    const long = `/${'n'.repeat(LIMITS.repliesBytesMax / 10)}`
    for (let number = 1; number <= 12; number++) machine.numbered(number, create(`${long}${number}`))
    machine.applyAll()
    expect(remembered(machine)).toBe(9)
    machine.numbered(3, create(`${long}3`))
    machine.numbered(4, create(`${long}4`))
    expect(machine.applyAll().map(({ error }) => error)).toEqual([ERROR_CODES.ConnectionLoss, 0])
  })

  it('with their session, and with their line: whoever takes the session over numbers anew', () => {
    const machine = Machine.numbering()
    machine.numbered(1, create('/a'))
    machine.applyAll()
    const move = { kind: 'moveSession', session: A, origin: 10, timeout: 5000, password: new Uint8Array(16) } as const
    machine.ask({ ...move, line: 6 })
    // Before the move is applied, too.
    machine.numbered(1, create('/b'))
    expect(machine.applyAll().map(({ error }) => error)).toEqual([0, 0])
    expect(machine.state.tree.get('/b')).toBeDefined()
    machine.ask({ ...move, line: 0 })
    machine.applyAll()
    expect(remembered(machine)).toBe(-1)
    machine.ask({ ...move, line: 7 })
    machine.numbered(1, set('/a'))
    machine.ask({ kind: 'endSession', session: A })
    machine.applyAll()
    expect(remembered(machine)).toBe(-1)
    const restored = State.restored(machine.state.applied, [...machine.state.snapshot()])
    expect(restored.digest).toBe(machine.state.digest)
  })

  it('over the end of all numbers', () => {
    const machine = Machine.numbering()
    const LAST = 0x7fffffff
    for (const number of [2 ** 29, 2 ** 30, LAST - 1]) {
      machine.numbered(number, create('/early'), number - 1)
      machine.applyAll()
    }
    machine.numbered(LAST, create('/last'), LAST - 1)
    machine.numbered(1, create('/first'), LAST - 1)
    machine.numbered(LAST, create('/last'), LAST - 1)
    machine.numbered(2, create('/second'), 1)
    machine.applyAll()
    expect(remembered(machine)).toBe(1)
    expect(['/last', '/first', '/second'].map((path) => machine.state.tree.get(path)?.version)).toEqual([0, 0, 0])
  })
})

it('whatever is asked again, and whenever, each number counts once', () => {
  const step = fc.record({
    request: fc.nat({ max: 3 }),
    again: fc.nat({ max: 4 }),
    lag: fc.nat({ max: 3 }),
    change: fc.nat({ max: 9 }),
  })
  const asked = (kind: number, number: number): Request =>
    [
      create('/s-', SEQUENTIAL),
      set('/s-0000000000'),
      create(`/n${number % 3}`),
      { kind: 'delete', path: '/n1', version: -1 } as const,
    ][kind] as Request
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const once = Machine.numbering()
      let often = Machine.numbering()
      steps.forEach(({ request, again, lag, change }, at) => {
        once.numbered(at + 1, asked(request, at))
        often.numbered(at + 1, asked(request, at))
        for (let back = Math.min(again, at); back > 0; back--) {
          often.numbered(at + 2 - back, asked(steps[at + 1 - back]?.request ?? 0, at + 1 - back))
        }
        often.applyAll(lag)
        if (change > 0) return
        often.applyAll()
        const { applied } = often.state
        often = often.succeeded(change % 2 === 0 ? often.state : State.restored(applied, [...often.state.snapshot()]))
      })
      once.applyAll()
      often.applyAll()
      const shape = (machine: Machine): unknown =>
        nodesOf(machine.state).map((node) => {
          const { path, stat } = node as { path: string; stat: { version: number; cversion: number } }
          return [path, stat.version, stat.cversion]
        })
      expect(shape(often)).toEqual(shape(once))
    }),
  )
})
