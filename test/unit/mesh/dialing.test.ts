import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ReplicaId } from '../../../src/base/ids.ts'
import { DIALING, Dialing, type MeshOrder } from '../../../src/mesh/dialing.ts'

const LOW = 10 as ReplicaId
const HIGH = 20 as ReplicaId
const chance = () => 0.5
const dialled = (orders: readonly MeshOrder[]) => orders.filter((order) => order.kind === 'dial')
const attemptOf = (orders: readonly MeshOrder[]): number => {
  const order = orders.find(({ kind }) => kind === 'dial' || kind === 'accept')
  if (order === undefined || !('attempt' in order)) throw new Error('nothing dialled')
  return order.attempt
}

describe('who dials', () => {
  it('is the larger id, as soon as it hears of the other', () => {
    expect(new Dialing(HIGH, chance).heard(LOW, 1, true, 0).map(({ kind }) => kind)).toEqual(['answer', 'dial'])
    expect(new Dialing(LOW, chance).heard(HIGH, 1, true, 0).map(({ kind }) => kind)).toEqual(['answer'])
    expect(new Dialing(HIGH, chance).heard(LOW, 1, false, 0).map(({ kind }) => kind)).toEqual(['dial'])
  })

  it('is nobody towards oneself', () => {
    expect(new Dialing(HIGH, chance).heard(HIGH, 1, true, 0)).toEqual([])
  })

  it('hears nothing of an earlier life of somebody whom it knows', () => {
    const mesh = new Dialing(HIGH, chance)
    const attempt = attemptOf(mesh.heard(LOW, 7, false, 0))
    expect(mesh.heard(LOW, 6, true, 1)).toEqual([])
    expect(mesh.current(LOW, attempt)).toBe(true)
    const low = new Dialing(LOW, chance)
    const taken = attemptOf(low.rang(HIGH, 7, 3, 0))
    expect(low.rang(HIGH, 6, 4, 1)).toEqual([])
    expect(low.current(HIGH, taken)).toBe(true)
    expect(low.rang(HIGH, 8, 1, 2).map(({ kind }) => kind)).toEqual(['hangUp', 'accept'])
  })

  it('dials once, however often it hears of the other', () => {
    const mesh = new Dialing(HIGH, chance)
    const attempt = attemptOf(mesh.heard(LOW, 1, false, 0))
    expect(dialled([...mesh.heard(LOW, 1, false, 1), ...mesh.ticked(2)])).toEqual([])
    mesh.opened(LOW, attempt, 3)
    expect(mesh.heard(LOW, 1, true, 4)).toEqual([])
    expect(mesh.connecting()).toEqual([])
  })

  it('hears nobody beyond the limit', () => {
    const mesh = new Dialing(HIGH, chance)
    for (let id = 100; id < 100 + DIALING.peersMax; id++) mesh.heard(id as ReplicaId, 1, false, 0)
    expect(mesh.heard(LOW, 1, true, 0)).toEqual([])
  })
})

describe('attempts', () => {
  it('are taken by the smaller id, only if newer', () => {
    const mesh = new Dialing(LOW, chance)
    expect(mesh.rang(HIGH, 1, 7, 0)).toEqual([{ kind: 'accept', peer: HIGH, attempt: 7 }])
    expect(mesh.rang(HIGH, 1, 7, 0)).toEqual([])
    expect(mesh.rang(HIGH, 1, 6, 0)).toEqual([])
    expect(mesh.current(HIGH, 7)).toBe(true)
    expect(mesh.rang(HIGH, 1, 8, 0).map(({ kind }) => kind)).toEqual(['hangUp', 'accept'])
  })

  it('are not accepted again after they closed', () => {
    const mesh = new Dialing(LOW, chance)
    mesh.rang(HIGH, 1, 7, 0)
    mesh.closed(HIGH, 7, false, 1)
    expect(mesh.rang(HIGH, 1, 7, 2)).toEqual([])
    expect(mesh.current(HIGH, 7)).toBe(false)
  })

  it('of the smaller id are never accepted', () => {
    const mesh = new Dialing(HIGH, chance)
    const mine = attemptOf(mesh.heard(LOW, 1, false, 0))
    expect(mesh.rang(LOW, 1, mine + 1, 0)).toEqual([])
    expect(mesh.current(LOW, mine)).toBe(true)
  })

  it('that do not connect in time are hung up and tried again after a pause', () => {
    const mesh = new Dialing(HIGH, chance)
    const first = attemptOf(mesh.heard(LOW, 1, false, 0))
    const late = mesh.ticked(DIALING.connectWithin)
    expect(late).toContainEqual({ kind: 'hangUp', peer: LOW, attempt: first, reason: 'not connected in time' })
    expect(dialled(late)).toEqual([])
    const again = attemptOf(mesh.ticked(DIALING.connectWithin + DIALING.backoffMin))
    expect(again).toBeGreaterThan(first)
  })
})

describe('after a failure', () => {
  it('waits longer each time, up to a limit', () => {
    const mesh = new Dialing(HIGH, chance)
    let now = 0
    let attempt = attemptOf(mesh.heard(LOW, 1, false, now))
    const pauses: number[] = []
    for (let i = 0; i < 10; i++) {
      const failedAt = now
      mesh.closed(LOW, attempt, false, now)
      mesh.heard(LOW, 1, false, now)
      let orders: MeshOrder[] = []
      while (dialled(orders).length === 0) {
        now += 10
        orders = mesh.ticked(now)
      }
      pauses.push(now - failedAt)
      attempt = attemptOf(orders)
    }
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b))
    expect(pauses[0]).toBeLessThanOrEqual(DIALING.backoffMin)
    expect(pauses.at(-1)).toBeGreaterThan(DIALING.backoffMax / 2)
    expect(pauses.at(-1)).toBeLessThanOrEqual(DIALING.backoffMax)
  })

  it('waits by chance: between half of the pause and all of it', () => {
    const pauseBy = (draw: number): number => {
      const mesh = new Dialing(HIGH, () => draw)
      mesh.closed(LOW, attemptOf(mesh.heard(LOW, 1, false, 0)), true, 0)
      let now = 0
      while (dialled(mesh.ticked(now)).length === 0) now += 50
      return now
    }
    expect([0, 0.5, 0.8].map(pauseBy)).toEqual([
      DIALING.backoffMax / 2,
      DIALING.backoffMax * 0.75,
      DIALING.backoffMax * 0.9,
    ])
  })

  it('starts over once a link was steady', () => {
    const mesh = new Dialing(HIGH, chance)
    let attempt = attemptOf(mesh.heard(LOW, 1, false, 0))
    for (let i = 0; i < 5; i++) {
      mesh.closed(LOW, attempt, false, i * 5000)
      attempt = attemptOf(mesh.ticked((i + 1) * 5000))
    }
    mesh.opened(LOW, attempt, 25_000)
    mesh.closed(LOW, attempt, false, 25_000 + DIALING.steady)
    expect(dialled(mesh.ticked(25_000 + DIALING.steady + DIALING.backoffMin))).toHaveLength(1)
  })

  it('waits longest after a refusal', () => {
    const mesh = new Dialing(HIGH, chance)
    mesh.closed(LOW, attemptOf(mesh.heard(LOW, 1, false, 0)), true, 0)
    expect(dialled(mesh.ticked(DIALING.backoffMax / 2 - 1))).toEqual([])
    expect(dialled(mesh.ticked(DIALING.backoffMax))).toHaveLength(1)
  })
})

describe('a member that is gone', () => {
  it('is hung up, not dialled, and not heard any more in that incarnation', () => {
    const mesh = new Dialing(HIGH, chance)
    const attempt = attemptOf(mesh.heard(LOW, 3, false, 0))
    expect(mesh.gone(LOW, 3, 'bye')).toEqual([{ kind: 'hangUp', peer: LOW, attempt, reason: 'bye' }])
    expect(
      dialled([...mesh.ticked(60_000), ...mesh.heard(LOW, 3, false, 60_000), ...mesh.heard(LOW, 2, true, 0)]),
    ).toEqual([])
    expect(dialled(mesh.heard(LOW, 4, false, 60_001))).toHaveLength(1)
  })

  it('does not take its next incarnation with it', () => {
    const mesh = new Dialing(HIGH, chance)
    mesh.heard(LOW, 3, false, 0)
    const orders = mesh.heard(LOW, 4, false, 1)
    expect(orders.map(({ kind }) => kind)).toEqual(['hangUp', 'dial'])
    expect(mesh.gone(LOW, 3, 'late bye')).toEqual([])
    expect(mesh.connecting()).toEqual([LOW])
  })

  it('is forgotten when nobody heard of it for long', () => {
    const mesh = new Dialing(HIGH, chance)
    const attempt = attemptOf(mesh.heard(LOW, 1, false, 0))
    mesh.closed(LOW, attempt, false, 1)
    expect(dialled(mesh.ticked(DIALING.forgetAfter))).toEqual([])
    expect(mesh.connecting()).toEqual([])
  })
})

it('announces itself now and then', () => {
  const mesh = new Dialing(HIGH, chance)
  const told = (now: number) => mesh.ticked(now).some(({ kind }) => kind === 'announce')
  expect(told(0)).toBe(true)
  expect(told(250)).toBe(false)
  expect(told(DIALING.announceEvery)).toBe(true)
})

it('connects every pair by one attempt, whatever is lost, late or repeated on the way', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(99), { minLength: 50, maxLength: 200 }), (rolls) => {
      let roll = 0
      const draw = () => (rolls[roll++ % rolls.length] ?? 0) / 100
      const ids = [11, 22, 33].map((id) => id as ReplicaId)
      const meshes = new Map(ids.map((id) => [id, new Dialing(id, draw)]))
      const wire: { at: number; to: ReplicaId; from: ReplicaId; attempt: number | null; asked: boolean }[] = []
      const carryOut = (from: ReplicaId, orders: readonly MeshOrder[], now: number) => {
        for (const order of orders) {
          const lossy = now < 15_000 && draw() < 0.3
          if (order.kind === 'accept' || order.kind === 'hangUp' || lossy) continue
          const at = now + Math.floor(draw() * 500)
          if (order.kind === 'announce') for (const to of ids) wire.push({ at, to, from, attempt: null, asked: true })
          if (order.kind === 'answer') wire.push({ at, to: order.to, from, attempt: null, asked: false })
          if (order.kind === 'dial') {
            wire.push({ at, to: order.peer, from, attempt: order.attempt, asked: false })
            if (draw() < 0.2) wire.push({ at: at + 900, to: order.peer, from, attempt: order.attempt, asked: false })
          }
        }
      }
      const link = (a: ReplicaId, b: ReplicaId, attempt: number, now: number) => {
        for (const [x, y] of [
          [a, b],
          [b, a],
        ] as const)
          meshes.get(x)?.opened(y, attempt, now)
      }
      for (let now = 0; now < 90_000; now += 250) {
        for (const id of ids) carryOut(id, meshes.get(id)?.ticked(now) ?? [], now)
        for (const signal of wire.splice(0)) {
          const mesh = meshes.get(signal.to)
          if (signal.at > now) wire.push(signal)
          else if (signal.attempt === null)
            carryOut(signal.to, mesh?.heard(signal.from, 1, signal.asked, now) ?? [], now)
          else {
            carryOut(signal.to, mesh?.rang(signal.from, 1, signal.attempt, now) ?? [], now)
            if (
              mesh?.current(signal.from, signal.attempt) &&
              meshes.get(signal.from)?.current(signal.to, signal.attempt)
            )
              link(signal.to, signal.from, signal.attempt, now)
          }
        }
      }
      for (const mesh of meshes.values()) expect(mesh.connecting()).toEqual([])
    }),
    { numRuns: 100 },
  )
}, 60_000)
