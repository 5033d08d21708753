import { describe, expect, it } from 'vitest'
import { Allowance } from '../../../src/node/allowance.ts'
import { GRANT_TERMS, Grants } from '../../../src/node/signal-grants.ts'

const TERMS = { youth: 1000, lease: 100, keep: 10_000, topicsMax: 2 }
const [one, two] = ['a'.repeat(32), 'b'.repeat(32)]
const ensemble = 'e'.repeat(32)

describe('founding', () => {
  it('is granted to nobody by a server that has just started, and to one afterwards', () => {
    const grants = new Grants(TERMS, 0)
    expect(grants.found('t', one, 400)).toEqual({ type: 'deny', reason: 'young', retryAfter: 600 })
    expect(grants.found('t', one, 1000)).toEqual({ type: 'grant', lease: 100 })
    expect(grants.found('t', two, 1040)).toEqual({ type: 'deny', reason: 'leased', retryAfter: 60 })
    expect(grants.found('t', one, 1040)).toEqual({ type: 'grant', lease: 100 })
  })

  it('passes on when the lease ran out, and the late one is refused', () => {
    const grants = new Grants(TERMS, 0)
    grants.found('t', one, 1000)
    expect(grants.found('t', two, 1100).type).toBe('grant')
    expect(grants.founded('t', ensemble, one, 1101)).toEqual({ type: 'refused', ensemble: null })
    expect(grants.founded('t', ensemble, two, 1102)).toEqual({ type: 'confirmed' })
    expect(grants.founded('t', ensemble, two, 1103)).toEqual({ type: 'confirmed' })
    expect(grants.founded('t', 'f'.repeat(32), one, 1104)).toEqual({ type: 'refused', ensemble })
    expect(grants.found('t', one, 1105)).toMatchObject({ type: 'deny', reason: 'founded', ensemble })
  })

  it('refuses who confirms after its lease, though nobody else has asked', () => {
    const grants = new Grants(TERMS, 0)
    grants.found('t', one, 1000)
    expect(grants.founded('t', ensemble, one, 1100)).toEqual({ type: 'refused', ensemble: null })
  })

  it('takes the confirmation of a grant that it gave before it was started anew', () => {
    const grants = new Grants(TERMS, 0)
    expect(grants.founded('t', ensemble, one, 50)).toEqual({ type: 'confirmed' })
    expect(GRANT_TERMS.lease).toBeLessThan(GRANT_TERMS.youth)
  })

  it('believes members about what exists, a lease notwithstanding', () => {
    const grants = new Grants(TERMS, 0)
    grants.found('t', one, 1000)
    expect(grants.founded('t', ensemble, null, 1010)).toEqual({ type: 'confirmed' })
    expect(grants.founded('t', 'f'.repeat(32), one, 1020)).toEqual({ type: 'refused', ensemble })
  })

  it('is remembered for so long, for so many topics, and a full memory grants nothing', () => {
    const grants = new Grants(TERMS, 0)
    grants.founded('t', ensemble, null, 1000)
    grants.founded('u', ensemble, null, 2000)
    expect(grants.found('v', one, 3000)).toMatchObject({ type: 'deny', reason: 'full' })
    expect(grants.founded('v', ensemble, null, 3000)).toEqual({ type: 'refused', ensemble: null })
    expect(grants.found('v', one, 11_500)).toEqual({ type: 'grant', lease: 100 })
    expect(grants.size).toBe(2)
  })
})

it('an allowance fills steadily up to one burst', () => {
  const allowance = new Allowance(10, 20, 0)
  expect(allowance.take(20, 0)).toBe(true)
  expect(allowance.take(1, 50)).toBe(false)
  expect(allowance.take(1, 100)).toBe(true)
  expect(allowance.take(21, 1e6)).toBe(false)
  expect(allowance.take(20, 1e6)).toBe(true)
})
