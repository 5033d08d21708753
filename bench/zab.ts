import { loadavg } from 'node:os'
import type { EnsembleId, LinkId, ReplicaId } from '../src/base/ids.ts'
import { LIMITS, TIMES } from '../src/base/limits.ts'
import { makeZxid } from '../src/base/zxid.ts'
import type { Fact, Order } from '../src/zab/facts.ts'
import { encodeConfig, encodeFormat } from '../src/zab/membership.ts'
import { makePeer, type Peer } from '../src/zab/peer.ts'
import { step } from '../src/zab/step.ts'
import { machine } from './report.ts'

/** The core alone: peers in one thread, messages by reference, disks that answer at once. What consensus itself costs. */
class Bench {
  readonly #peers: Peer[]
  readonly #inbox: { readonly to: number; readonly fact: Fact }[] = []
  delivered = 0

  constructor(size: number) {
    const ids = Array.from({ length: size }, (_, i) => (i + 1) as ReplicaId)
    const ensemble = '0'.repeat(32) as EnsembleId
    const entries = [
      { zxid: makeZxid(0, 1), kind: 'config', bytes: encodeConfig({ ensemble, voters: ids, old: null }) },
      { zxid: makeZxid(0, 2), kind: 'format', bytes: encodeFormat(1) },
    ] as const
    this.#peers = ids.map((id) =>
      makePeer(
        {
          id,
          browser: `b${id}`,
          format: 1,
          voters: 7,
          timing: TIMES,
          proposalsInFlightMax: LIMITS.proposalsInFlightMax,
          batchBytesMax: LIMITS.batchBytesMax,
          historyEntriesMax: LIMITS.historyEntriesMax,
          observersMax: LIMITS.observersMax,
          seed: id,
        },
        {
          acceptedEpoch: 0,
          currentEpoch: 0,
          memory: [],
          demoted: false,
          base: makeZxid(0, 0),
          baseConfig: null,
          entries,
          committed: makeZxid(0, 0),
        },
        0,
      ),
    )
    for (const peer of ids) {
      for (const other of ids) {
        if (peer === other) continue
        const about = { incarnation: 1, browser: `b${other}`, format: 1 }
        this.#hear(peer, { kind: 'linkOpened', peer: other, link: 1 as LinkId, about })
      }
    }
    for (let now = 0; now < 1000; now += 50) {
      for (const peer of ids) this.#hear(peer, { kind: 'ticked', now })
      this.#settle()
    }
  }

  get #leader(): Peer | undefined {
    return this.#peers.find(({ role }) => role.kind === 'leading' && role.phase === 'broadcast')
  }

  /** Transactions in batches of so many, each batch committed by all before the next. */
  run(transactions: number, batch: number): number {
    const leader = this.#leader
    if (leader === undefined) throw new Error('nobody leads')
    const request = new Uint8Array(100)
    const requests = Array.from({ length: batch }, () => request)
    const began = performance.now()
    for (let done = 0; done < transactions; done += batch) {
      this.#hear(leader.options.id, { kind: 'requested', requests })
      this.#settle()
    }
    return (transactions * 1000) / (performance.now() - began)
  }

  #hear(to: number, fact: Fact): void {
    this.#inbox.push({ to, fact })
  }

  #settle(): void {
    let touched = new Set<number>()
    while (this.#inbox.length > 0) {
      for (const { to, fact } of this.#inbox.splice(0)) {
        touched.add(to)
        this.#carryOut(to, step(this.#peers[to - 1] as Peer, fact))
      }
      for (const to of touched) this.#carryOut(to, step(this.#peers[to - 1] as Peer, { kind: 'turnEnded' }))
      touched = new Set()
    }
  }

  #carryOut(self: number, orders: Order[]): void {
    let last = 0
    for (let i = 0; i < orders.length; i++) {
      const order = orders[i] as Order
      if (order.kind === 'send') {
        this.#hear(order.to, { kind: 'received', from: self as ReplicaId, link: 1 as LinkId, message: order.message })
      } else if (order.kind === 'write') last = order.write
      else if (order.kind === 'prepare') {
        const more = step(this.#peers[self - 1] as Peer, { kind: 'prepared', zxid: order.zxid, bytes: order.request })
        for (const one of more) orders.push(one)
      } else if (order.kind === 'deliver') this.delivered += order.entries.length
    }
    if (last > 0) this.#hear(self, { kind: 'stored', write: last })
  }
}

/** `npm run bench -- zab` */
export function benchZab(): void {
  console.log(machine(loadavg(), []))
  console.log('peers  batch   transactions/s   (three runs: median, least, most)')
  for (const peers of [1, 3, 5, 7]) {
    for (const batch of [1, 8, 64, 512]) {
      const bench = new Bench(peers)
      const count = batch === 1 ? 40_000 : 200_000
      bench.run(count / 4, batch)
      const runs = [1, 2, 3].map(() => bench.run(count, batch)).sort((a, b) => a - b)
      const show = (value: number | undefined): string =>
        Math.round(value ?? 0)
          .toLocaleString('en')
          .padStart(10)
      console.log(
        `${String(peers).padStart(5)}  ${String(batch).padStart(5)}  ${show(runs[1])}  ${show(runs[0])}  ${show(runs[2])}`,
      )
    }
  }
  const bench = new Bench(3)
  console.log('growth with the log: 3 peers, batches of 64, transactions/s by log length')
  for (let at = 0; at < 5; at++)
    console.log(
      `  after ${(at * 400_000).toLocaleString('en')}: ${Math.round(bench.run(400_000, 64)).toLocaleString('en')}`,
    )
}
