import { MessageChannel, type MessagePort as NodePort } from 'node:worker_threads'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { EnsembleId, ReplicaId } from '../../../src/base/ids.ts'
import { LinkDesk, type LinkEnds } from '../../../src/replica/link-desk.ts'
import type { WorkerEvent } from '../../../src/replica/service-api.ts'
import type { LinkBinding } from '../../../src/transport/link-proof.ts'
import type { Hello, PeerLink } from '../../../src/transport/peer-link.ts'

const ports: NodePort[] = []
afterEach(() => {
  for (const port of ports.splice(0)) port.close()
})

const hello = (replica: number, more: Partial<Hello> = {}): Hello => ({
  ensemble: 'a'.repeat(32) as EnsembleId,
  replica: replica as ReplicaId,
  incarnation: 1,
  versionMin: 1,
  versionMax: 1,
  format: 1,
  browser: 'b',
  build: 'test',
  ...more,
})

function desk(self: Hello, secret: ConstructorParameters<typeof LinkDesk>[3] = null) {
  const links: PeerLink[] = []
  const events: WorkerEvent[] = []
  const made = new LinkDesk(
    self,
    (link) => links.push(link),
    (event) => events.push(event),
    secret,
  )
  const add = (peer: number, attempt: number, ends: Ends) =>
    made.add(peer as ReplicaId, attempt, ends as unknown as LinkEnds)
  const bind = (peer: number, attempt: number, binding: LinkBinding) => made.bind(peer as ReplicaId, attempt, binding)
  return { add, bind, links, events, kinds: () => events.map(({ kind }) => kind), marks: () => made.marks }
}

interface Ends {
  readonly control: NodePort
  readonly bulk: NodePort
}

function cable(): [Ends, Ends] {
  const [control, bulk] = [new MessageChannel(), new MessageChannel()]
  ports.push(control.port1, control.port2, bulk.port1, bulk.port2)
  return [
    { control: control.port1, bulk: bulk.port1 },
    { control: control.port2, bulk: bulk.port2 },
  ]
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 60))

describe('a desk', () => {
  it('makes links of two ends, and tells when they close', async () => {
    const [one, two] = [desk(hello(1)), desk(hello(2))]
    const [a, b] = cable()
    one.add(2, 7, a)
    two.add(1, 7, b)
    await settled()
    expect(one.links.map(({ peer }) => peer)).toEqual([2])
    expect(two.links.map(({ peer }) => peer)).toEqual([1])
    expect(one.events).toEqual([{ kind: 'linkOpened', peer: 2, attempt: 7 }])
    one.links[0]?.close('enough')
    await settled()
    expect(one.events.at(-1)).toEqual({ kind: 'linkClosed', peer: 2, attempt: 7, refused: false, reason: 'enough' })
    expect(two.kinds()).toEqual(['linkOpened', 'linkClosed'])
  })

  it('gives up on whoever connects and says nothing, at its deadline', async () => {
    // A thousandth of the time: the signal is the platform's, and does not go by the clock that tests can turn.
    const timeout = AbortSignal.timeout.bind(AbortSignal)
    const hurried = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout(ms / 1000))
    const one = desk(hello(1))
    one.add(2, 7, cable()[0])
    hurried.mockRestore()
    await expect.poll(() => one.kinds()).toEqual(['linkClosed'])
    expect(one.links).toEqual([])
  })

  it('waits, where there is a secret, for what this very attempt runs over', async () => {
    const secret = {
      key: new Uint8Array(32).fill(1),
      entropy: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
    }
    const [one, two] = [desk(hello(1), secret), desk(hello(2), secret)]
    const [a, b] = cable()
    one.add(2, 7, a)
    two.add(1, 7, b)
    two.bind(1, 7, { dialed: false, mine: 'sha-256 BB', theirs: 'sha-256 AA' })
    // Of an earlier attempt, over another connection, and late.
    one.bind(2, 6, { dialed: true, mine: 'sha-256 AA', theirs: 'sha-256 EE' })
    await settled()
    expect([one.kinds(), two.kinds()]).toEqual([[], []])
    one.bind(2, 7, { dialed: true, mine: 'sha-256 AA', theirs: 'sha-256 BB' })
    await settled()
    expect([one.kinds(), two.kinds()]).toEqual([['linkOpened'], ['linkOpened']])
  })

  it('counts who greets in the name of another, and whom it refuses', async () => {
    const [one, two] = [desk(hello(1)), desk(hello(2))]
    const [a, b] = cable()
    one.add(3, 7, a)
    two.add(1, 7, b)
    await settled()
    expect(one.links).toEqual([])
    expect(one.events).toContainEqual(expect.objectContaining({ kind: 'notice', code: 'BadPeer', peer: 3 }))
    const [c, d] = cable()
    const stranger = desk(hello(4, { ensemble: 'b'.repeat(32) as EnsembleId }))
    one.add(4, 8, c)
    stranger.add(1, 8, d)
    await settled()
    expect(one.marks()).toEqual({ 'greeted-as-another': 1, 'greeting-refused-EnsembleMismatch': 1 })
    expect(stranger.marks()).toEqual({ 'greeting-refused-EnsembleMismatch': 1 })
  })

  it('closes both channels of a link, whichever of them ends', async () => {
    const [one, two] = [desk(hello(1)), desk(hello(2))]
    const [a, b] = cable()
    one.add(2, 7, a)
    two.add(1, 7, b)
    await settled()
    // Over a port a string is the reason why it closed.
    b.bulk.postMessage('torn')
    await settled()
    expect(one.events.at(-1)).toMatchObject({ kind: 'linkClosed', attempt: 7, reason: 'torn' })
    expect(two.events.at(-1)).toMatchObject({ kind: 'linkClosed', attempt: 7, reason: 'torn' })
  })

  it.each([
    ['EnsembleMismatch', hello(2, { ensemble: 'b'.repeat(32) as EnsembleId })],
    ['Incompatible', hello(2, { versionMin: 9, versionMax: 9 })],
  ])('says %s on both sides, as a refusal', async (code, other) => {
    const [one, two] = [desk(hello(1)), desk(other)]
    const [a, b] = cable()
    one.add(2, 1, a)
    two.add(1, 1, b)
    await settled()
    for (const side of [one, two]) {
      expect(side.links).toEqual([])
      expect(side.kinds()).toEqual(['linkClosed', 'notice'])
      expect(side.events[0]).toMatchObject({ refused: true })
      expect(side.events[1]).toMatchObject({ code })
    }
  })

  it('closes a link whose other end is somebody else', async () => {
    const [one, two] = [desk(hello(1)), desk(hello(3))]
    const [a, b] = cable()
    one.add(2, 1, a)
    two.add(1, 1, b)
    await settled()
    expect(one.links).toEqual([])
    expect(one.kinds().sort()).toEqual(['linkClosed', 'notice'])
    expect(one.events.find(({ kind }) => kind === 'notice')).toMatchObject({ code: 'BadPeer', peer: 2 })
    expect(two.kinds().at(-1)).toBe('linkClosed')
  })

  it('closes a link of an earlier incarnation', async () => {
    const one = desk(hello(1))
    const [a, b] = cable()
    one.add(2, 1, a)
    desk(hello(2, { incarnation: 5 })).add(1, 1, b)
    await settled()
    const [c, d] = cable()
    const ghost = desk(hello(2, { incarnation: 4 }))
    one.add(2, 2, c)
    ghost.add(1, 2, d)
    await settled()
    expect(one.links).toHaveLength(1)
    expect(one.events.at(-1)).toMatchObject({ kind: 'linkClosed', attempt: 2 })
  })

  it('closes on garbage instead of a hello, which is no refusal', async () => {
    const one = desk(hello(1))
    const [a, b] = cable()
    one.add(2, 1, a)
    const garbage = new Uint8Array([255, 1, 2, 3]).buffer
    b.control.postMessage(garbage, [garbage])
    await settled()
    expect(one.events).toEqual([expect.objectContaining({ kind: 'linkClosed', refused: false })])
  })
})
