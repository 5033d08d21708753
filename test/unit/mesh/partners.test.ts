import { describe, expect, it } from 'vitest'
import type { ReplicaId } from '../../../src/base/ids.ts'
import { LIMITS } from '../../../src/base/limits.ts'
import { DIALING, Dialing, type MeshOrder } from '../../../src/mesh/dialing.ts'
import { type Candidate, partnersOf, type Standing } from '../../../src/mesh/partners.ts'
import type { Stands } from '../../../src/signaling/signal.ts'

const id = (n: number) => n as ReplicaId
const other = (n: number, stands: Stands | null, more: Partial<Candidate> = {}): Candidate => ({
  id: id(n),
  stands,
  open: false,
  failures: 0,
  draw: n / 1000,
  ...more,
})
const me = (more: Partial<Standing> = {}): Standing => ({
  stands: 'observes',
  voters: [],
  leader: null,
  parent: null,
  wantedBy: null,
  serving: false,
  ...more,
})
const VOTERS = [other(1, 'votes'), other(2, 'votes'), other(3, 'leads')]
const many = Array.from({ length: LIMITS.observersMax }, (_, i) => other(10 + i, 'observes'))
const chosen = (standing: Standing, others: readonly Candidate[], searched = 0) =>
  [...partnersOf(standing, others, searched)].sort((a, b) => a - b)

describe('a voter needs links', () => {
  it('to all voters, by their word or by its own log, and to no observer', () => {
    const others = [...VOTERS, other(4, null), other(5, 'observes'), other(6, 'observes')]
    expect(chosen(me({ stands: 'votes', voters: [id(5), id(9)] }), others)).toEqual([1, 2, 3, 4, 5])
  })
})

describe('an observer that follows somebody needs links', () => {
  it('to that one and a spare, which is not the leader', () => {
    expect(chosen(me({ serving: true, leader: id(3), parent: id(3) }), VOTERS)).toEqual([1, 3])
    expect(chosen(me({ serving: true, leader: id(3), parent: id(1) }), VOTERS, 1e9)).toEqual([1, 2])
  })

  it('to the leader as well, where that wants it near', () => {
    expect(chosen(me({ serving: true, leader: id(3), parent: id(1), wantedBy: id(3) }), VOTERS)).toEqual([1, 2, 3])
  })

  it('to a spare that it has, or that did not fail, rather than to another', () => {
    const open = [other(1, 'votes'), other(2, 'votes', { open: true }), other(3, 'leads')]
    expect(chosen(me({ serving: true, leader: id(3), parent: id(3) }), open)).toEqual([2, 3])
    const failed = [other(1, 'votes', { failures: 1 }), other(2, 'votes'), other(3, 'leads')]
    expect(chosen(me({ serving: true, leader: id(3), parent: id(3) }), failed)).toEqual([2, 3])
  })
})

describe('an observer that follows nobody needs links', () => {
  it('to the leader first, and to one more voter each second', () => {
    expect(chosen(me(), VOTERS)).toEqual([3])
    expect(chosen(me(), VOTERS, 1000)).toEqual([1, 3])
    expect(chosen(me(), VOTERS, 60_000)).toEqual([1, 2, 3])
  })

  it('to the leader last, where there are many observers', () => {
    expect(chosen(me(), [...VOTERS, ...many])).toEqual([1, 2])
    expect(chosen(me(), [...VOTERS, ...many], 1000)).toEqual([1, 2, 3])
  })

  it('to anybody, where it knows no voter', () => {
    expect(chosen(me(), many.slice(0, 3), 1000)).toEqual([10, 11])
  })
})

describe('who dials', () => {
  const [LOW, SELF, HIGH] = [id(10), id(20), id(30)]
  const observer = () => {
    const mesh = new Dialing(SELF, () => 0.5)
    mesh.stands(me(), 0)
    return mesh
  }
  const kinds = (orders: readonly MeshOrder[]) => orders.map(({ kind }) => kind)

  it('an observer dials the smaller voter and calls the larger one, again and again until it is dialled', () => {
    expect(kinds(observer().heard(LOW, 1, false, 0, 'leads'))).toEqual(['dial'])
    const mesh = observer()
    expect(mesh.heard(HIGH, 1, false, 0, 'leads')).toEqual([{ kind: 'call', to: HIGH }])
    expect(kinds(mesh.ticked(250))).not.toContain('call')
    expect(kinds(mesh.ticked(DIALING.callFor))).toContain('call')
    mesh.rang(HIGH, 1, 7, DIALING.callFor)
    expect(kinds(mesh.ticked(2 * DIALING.callFor))).not.toContain('call')
  })

  it('a voter dials an observer only if it is called', () => {
    const mesh = new Dialing(SELF, () => 0.5)
    mesh.stands(me({ stands: 'votes', voters: [SELF] }), 0)
    expect(kinds(mesh.heard(LOW, 1, true, 0, 'observes'))).toEqual(['answer'])
    expect(kinds(mesh.heard(LOW, 1, false, 1, 'observes', true))).toEqual(['dial'])
    expect(mesh.connecting(2)).toEqual([LOW])
  })

  it('observers leave each other alone, and tell each other seldom', () => {
    const mesh = observer()
    mesh.heard(LOW, 1, false, 0, 'leads')
    expect(kinds(mesh.heard(HIGH, 1, true, 0, 'observes'))).toEqual(['answer'])
    expect(mesh.heard(HIGH, 1, true, 10_000, 'observes')).toEqual([])
    expect(kinds(mesh.heard(HIGH, 1, true, DIALING.answerEvery, 'observes'))).toEqual(['answer'])
  })

  it('an observer lets go of links that it does not need, once it has been served for a while', () => {
    const mesh = observer()
    const attempts = new Map<ReplicaId, number>()
    for (const order of [LOW, id(11), id(12)].flatMap((one) => mesh.heard(one, 1, false, 5000, 'votes')))
      if (order.kind === 'dial') attempts.set(order.peer, order.attempt)
    expect([...attempts.keys()]).toEqual([LOW, id(11), id(12)])
    for (const [one, attempt] of attempts) mesh.opened(one, attempt, 5100)
    mesh.stands(me({ serving: true, leader: LOW, parent: LOW }), 6000)
    const hungUp = (now: number) => mesh.ticked(now).filter(({ kind }) => kind === 'hangUp')
    expect(hungUp(6000 + DIALING.steady - 1)).toEqual([])
    expect(hungUp(6000 + DIALING.steady)).toMatchObject([{ peer: id(12), reason: 'not needed' }])
    expect(hungUp(100_000)).toEqual([])
  })

  it('nobody takes more connections than a browser has room for, but for those between voters', () => {
    const mesh = new Dialing(id(5000), () => 0.5)
    mesh.stands(me({ stands: 'votes', voters: [id(5000)] }), 0)
    const dials = (from: number, stands: Stands) =>
      mesh.heard(id(from), 1, false, 0, stands, true).filter(({ kind }) => kind === 'dial').length
    for (let n = 0; n < DIALING.linksMax; n++) expect(dials(100 + n, 'observes')).toBe(1)
    expect(dials(1000, 'observes')).toBe(0)
    expect(dials(1001, 'votes')).toBe(1)
  })

  it('its part is told at once when it changes', () => {
    const mesh = observer()
    mesh.ticked(0)
    expect(kinds(mesh.ticked(250))).not.toContain('announce')
    expect(mesh.part).toBe('observes')
    mesh.stands(me({ stands: 'leads', voters: [SELF] }), 300)
    expect(mesh.part).toBe('leads')
    expect(kinds(mesh.ticked(500))).toContain('announce')
  })
})
