import { describe, expect, it } from 'vitest'
import type { EnsembleId, ReplicaId } from '../../../src/base/ids.ts'
import { DIALING } from '../../../src/mesh/dialing.ts'
import { Fingerprints } from '../../../src/mesh/fingerprints.ts'
import { type LinkBinding, Mesh, type MeshOptions } from '../../../src/mesh/mesh.ts'
import type { PairEvents } from '../../../src/mesh/rtc-pair.ts'
import type { Negotiation, Signal } from '../../../src/signaling/signal.ts'
import type { MemberSignaling } from '../../../src/signaling/signaling.ts'

const ensemble = 'a'.repeat(32) as EnsembleId
const [small, large] = [1, 2] as [ReplicaId, ReplicaId]
const described = (type: 'offer' | 'answer', hex: string) =>
  ({ type, sdp: `v=0\r\na=fingerprint:SHA-256 ${hex}\r\nm=application\r\na=fingerprint:sha-256 ${hex}\r\n` }) as const

/** The larger of two, whose peer connections do as the test says. */
async function dialer(iceServers: MeshOptions['iceServers'] = () => []) {
  let now = 0
  let hear: (signal: Signal) => void = () => undefined
  const sent: Signal[] = []
  const notices: string[] = []
  const bound: LinkBinding[] = []
  const pairs: PairEvents[] = []
  const used: (readonly RTCIceServer[])[] = []
  const steps: Negotiation[] = []
  const signaling: MemberSignaling = {
    join: async (_, onSignal) => {
      hear = onSignal
    },
    send: (signal) => void sent.push(signal),
    prepare: async () => undefined,
    leave: () => undefined,
  }
  const mesh = new Mesh(
    {
      topic: 't',
      ensemble,
      self: large,
      incarnation: 1,
      signaling,
      iceServers,
      openPair: (_initiator, ice, events) => {
        pairs.push(events)
        used.push(ice)
        return { signal: (step) => void steps.push(step), close: () => undefined }
      },
      now: () => now,
      chance: () => 0.5,
    },
    {
      deliver: async () => undefined,
      bound: (_peer, _attempt, binding) => void bound.push(binding),
      heard: () => undefined,
      stranger: () => undefined,
      notice: (code, message) => void notices.push(`${code}: ${message}`),
    },
  )
  await mesh.join()
  const head = { ensemble, from: small, incarnation: 1 }
  const attempt = () => {
    const last = sent.findLast((signal) => signal.kind === 'signal')
    return last?.kind === 'signal' ? last.attempt : 0
  }
  const say = (signal: Signal) => hear(signal)
  const pass = (ms: number) => {
    now += ms
    mesh.ticked()
  }
  /** Both sides describe themselves. */
  const introduce = () => {
    pairs.at(-1)?.onsignal(described('offer', 'aa:bb'))
    say({ ...head, kind: 'signal', to: large, attempt: attempt(), data: described('answer', 'CC:DD') })
  }
  return { mesh, head, say, pass, sent, notices, bound, pairs, used, steps, introduce, attempt }
}

describe('an attempt', () => {
  it('is bound to what both sides said of their certificates', async () => {
    const { say, head, introduce, bound } = await dialer()
    say({ ...head, kind: 'announce' })
    introduce()
    introduce()
    expect(bound).toEqual([{ dialed: true, mine: 'sha-256 AA:BB', theirs: 'sha-256 CC:DD' }])
  })

  it('that fails after both were introduced says once that there is no path', async () => {
    const { say, head, introduce, notices, pairs, pass } = await dialer()
    say({ ...head, kind: 'announce' })
    introduce()
    pairs.at(-1)?.onclose('Ice connection failed.')
    pass(DIALING.backoffMax)
    introduce()
    pass(DIALING.connectWithin)
    expect(pairs).toHaveLength(2)
    expect(notices).toHaveLength(1)
    expect(notices[0]).toMatch(/^NoPath: .*TURN/)
  })

  it('says so again for a member that was reached meanwhile', async () => {
    const { mesh, say, head, introduce, notices, pairs, pass, attempt } = await dialer()
    say({ ...head, kind: 'announce' })
    introduce()
    pairs.at(-1)?.onclose('Ice connection failed.')
    pass(DIALING.backoffMax)
    introduce()
    mesh.linkOpened(small, attempt())
    mesh.linkClosed(small, attempt(), false)
    pass(DIALING.backoffMax)
    introduce()
    pass(DIALING.connectWithin)
    expect(notices.map((one) => one.split(':')[0])).toEqual(['NoPath', 'NoPath'])
  })

  it('that nobody answered, or that the other side ended, is another matter', async () => {
    const { say, head, introduce, notices, pairs, pass } = await dialer()
    say({ ...head, kind: 'announce' })
    pairs.at(-1)?.onclose('Ice connection failed.')
    pass(DIALING.backoffMax)
    introduce()
    pairs.at(-1)?.onclose('the connection closed')
    expect(notices.map((one) => one.split(':')[0])).toEqual(['LinkFailed', 'LinkFailed'])
  })
})

describe('an attempt that waits for its ICE servers', () => {
  const turn = [{ urls: 'turn:fresh', username: 'u', credential: 'c' }]

  it('uses them, and hears then what the other side has said', async () => {
    let answer: (servers: readonly RTCIceServer[]) => void = () => undefined
    const { say, head, sent, pairs, used, steps, attempt } = await dialer(
      () => new Promise((resolve) => (answer = resolve)),
    )
    // Somebody smaller cannot call: of a larger one the first step comes before our connection is there.
    const caller = { ...head, from: 3 as ReplicaId }
    const candidate = { type: 'candidate', candidate: { candidate: 'x', sdpMid: '0', sdpMLineIndex: 0 } } as const
    say({ ...caller, kind: 'signal', to: large, attempt: 9, data: described('offer', 'AA') })
    say({ ...caller, kind: 'signal', to: large, attempt: 9, data: candidate })
    expect(pairs).toHaveLength(0)
    answer(turn)
    await Promise.resolve()
    expect(used).toEqual([turn])
    expect(steps).toEqual([described('offer', 'AA'), candidate])
    pairs[0]?.onsignal(described('answer', 'BB'))
    expect([sent.at(-1)?.kind, attempt()]).toEqual(['signal', 9])
  })

  it('connects no more when it was given up meanwhile', async () => {
    let answer: (servers: readonly RTCIceServer[]) => void = () => undefined
    const { mesh, say, head, pass, pairs } = await dialer(() => new Promise((resolve) => (answer = resolve)))
    say({ ...head, kind: 'announce' })
    const first = answer
    pass(DIALING.connectWithin)
    first(turn)
    await Promise.resolve()
    expect(pairs).toHaveLength(0)
    pass(DIALING.backoffMax)
    mesh.close()
    answer(turn)
    await Promise.resolve()
    expect(pairs).toHaveLength(0)
  })
})

it('a page that is no member yet is told who is here', async () => {
  const { say, sent } = await dialer()
  say({ kind: 'seek', ensemble: '0'.repeat(32) as EnsembleId, from: 77 as ReplicaId, incarnation: 0 })
  expect(sent.at(-1)).toEqual({ kind: 'here', ensemble, from: large, incarnation: 1, to: 77, stands: 'observes' })
})

it('descriptions without a certificate bind nothing', () => {
  const told: string[] = []
  const fingerprints = new Fingerprints((mine, theirs) => told.push(mine, theirs))
  fingerprints.mine({ type: 'offer', sdp: 'v=0' })
  fingerprints.theirs(described('answer', 'AA'))
  fingerprints.theirs(described('answer', 'BB'))
  fingerprints.mine({ type: 'candidate', candidate: { candidate: '', sdpMid: null, sdpMLineIndex: null } })
  expect([told, fingerprints.known]).toEqual([[], false])
  fingerprints.mine(described('offer', 'CC'))
  expect([told, fingerprints.known]).toEqual([['sha-256 CC', 'sha-256 AA'], true])
})
