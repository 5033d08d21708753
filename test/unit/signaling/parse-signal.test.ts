import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EnsembleId, ReplicaId } from '../../../src/base/ids.ts'
import { parseSignal } from '../../../src/signaling/parse-signal.ts'
import type { Signal } from '../../../src/signaling/signal.ts'

const head = { ensemble: 'a'.repeat(32) as EnsembleId, from: 7 as ReplicaId, incarnation: 3 }
const to = 9 as ReplicaId
const GOOD: readonly Signal[] = [
  { ...head, kind: 'announce' },
  { ...head, kind: 'here', to },
  { ...head, kind: 'signal', to, attempt: 5, data: { type: 'offer', sdp: 'v=0' } },
  { ...head, kind: 'signal', to, attempt: 5, data: { type: 'answer', sdp: 'v=0' } },
  {
    ...head,
    kind: 'signal',
    to,
    attempt: 5,
    data: { type: 'candidate', candidate: { candidate: 'candidate:1', sdpMid: '0', sdpMLineIndex: 0 } },
  },
  { ...head, kind: 'bye' },
  { ...head, kind: 'sessionOpened', session: '0123456789abcdef' },
  { ...head, kind: 'sessionEnded', session: '0123456789abcdef' },
  { ...head, kind: 'stepDown', to },
  { ...head, kind: 'full', to },
]

describe('parseSignal', () => {
  it.each(GOOD)('takes $kind, through JSON too', (signal) => {
    expect(parseSignal(JSON.parse(JSON.stringify(signal)))).toEqual(signal)
  })

  it('takes what a member says of its part, and that of no other kind', () => {
    for (const stands of ['leads', 'votes', 'observes'] as const) {
      expect(parseSignal({ ...head, kind: 'announce', stands })).toEqual({ ...head, kind: 'announce', stands })
      const called: Signal = { ...head, kind: 'here', to, stands, call: true }
      expect(parseSignal(called)).toEqual(called)
    }
    for (const stands of ['rules', null, 1, {}]) {
      expect(parseSignal({ ...head, kind: 'announce', stands })).toBeNull()
      expect(parseSignal({ ...head, kind: 'here', to, stands })).toBeNull()
    }
    expect(parseSignal({ ...head, kind: 'here', to, call: 'yes' })).toEqual({ ...head, kind: 'here', to })
  })

  it('drops unknown fields', () => {
    expect(parseSignal({ ...head, kind: 'bye', extra: 1 })).toEqual({ ...head, kind: 'bye' })
  })

  it('refuses every signal that lacks a field or has one of another type', () => {
    for (const signal of GOOD) {
      for (const field of Object.keys(signal)) {
        for (const wrong of [undefined, null, {}, [], -1, 1.5, Number.NaN, 'ü', true, 10n]) {
          expect(parseSignal({ ...signal, [field]: wrong }), `${signal.kind}.${field} = ${String(wrong)}`).toBeNull()
        }
      }
    }
  })

  it('refuses what is too long', () => {
    const long = 'x'.repeat(70_000)
    expect(parseSignal({ ...head, kind: 'signal', to, attempt: 1, data: { type: 'offer', sdp: long } })).toBeNull()
    const candidate = { candidate: long, sdpMid: null, sdpMLineIndex: null }
    expect(parseSignal({ ...head, kind: 'signal', to, attempt: 1, data: { type: 'candidate', candidate } })).toBeNull()
  })

  it('never throws, whatever comes', () => {
    fc.assert(fc.property(fc.anything(), (value) => parseSignal(value) === null))
    fc.assert(
      fc.property(fc.constantFrom(...GOOD), fc.dictionary(fc.string(), fc.anything()), (signal, noise) => {
        parseSignal({ ...signal, ...noise })
      }),
    )
  })
})
