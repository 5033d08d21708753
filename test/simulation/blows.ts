import type { ReplicaId } from '../../src/base/ids.ts'
import type { Chance } from './chance.ts'
import type { Network } from './network.ts'
import type { Node } from './node.ts'
import type { World } from './world.ts'

export interface Scene {
  readonly world: World
  readonly network: Network
  readonly nodes: readonly Node[]
  readonly sameBrowser: boolean
  say(line: string): void
  /** How long until the others notice a crash. */
  noticed(): number
}

/** A connection that hears nothing for so long has failed, milliseconds (measured in browsers: 15 to 17 s). */
const LINK_FAILS: readonly [number, number] = [15_000, 17_000]

/** What can befall a replica or a link. All chance is the occurrence's own. */
export class Blows {
  readonly #scene: Scene
  /** The end has come: what was cut is healed already, and what is cut now stays so. */
  over = false

  constructor(scene: Scene) {
    this.#scene = scene
  }

  #alive(): Node[] {
    return this.#scene.nodes.filter((node) => node.alive)
  }

  crash(node: Node, chance: Chance): void {
    if (!node.alive) return
    const { world, network, say, sameBrowser, noticed } = this.#scene
    // What it had sent may still arrive.
    const arrives = chance.is(0.5)
    say(`crash ${node.id}${arrives ? '' : ', with all that was on its way'}`)
    network.crashed(node.id, noticed, arrives)
    node.crash(chance)
    if (sameBrowser) {
      for (const other of this.#alive())
        world.after(chance.int(20, 100), other, () => other.replica?.peerGone(node.id, 'died'))
    }
    world.after(20 + chance.exp(1500), null, () => {
      if (node.alive || node.retired) return
      say(`start ${node.id}`)
      node.start()
    })
  }

  freeze(node: Node, chance: Chance): void {
    if (!node.alive || node.frozen) return
    const { world, say } = this.#scene
    say(`freeze ${node.id}`)
    node.freeze()
    world.after(200 + chance.exp(2500), null, () => {
      if (!node.frozen || node.retired) return
      say(`thaw ${node.id}`)
      node.thaw()
    })
  }

  /** Or the other way round. */
  hide(node: Node): void {
    if (node.options.lasting) return
    this.#scene.say(`${node.hidden ? 'show' : 'hide'} ${node.id}`)
    node.hide(!node.hidden)
  }

  reset(a: Node, b: Node, chance: Chance): void {
    if (a === b) return
    this.#scene.say(`reset ${a.id} ${b.id}`)
    this.#scene.network.reset(a.id, b.id, () => chance.int(0, 2000))
  }

  stepDown(): void {
    const leader = this.#leader()
    if (leader === undefined || leader.frozen) return
    this.#scene.say(`step down ${leader.id}`)
    leader.replica?.stepDown('asked')
  }

  #leader(): Node | undefined {
    return this.#alive().find((node) => node.replica?.peer.role.kind === 'leading')
  }

  /** These are not heard; nothing is lost and nobody told, unless it lasts. */
  cut(ways: readonly (readonly [ReplicaId, ReplicaId])[], ms: number, chance: Chance): void {
    const { world, network, say } = this.#scene
    if (ways.length === 0) return
    say(`cut ${ways.map(([from, to]) => `${from}→${to}`).join(' ')} for ${ms} ms`)
    for (const [from, to] of ways) network.cut(from, to)
    if (ms > LINK_FAILS[0]) {
      world.after(chance.int(...LINK_FAILS), null, () => {
        if (!this.over) for (const [from, to] of ways) network.reset(from, to, () => 0)
      })
    }
    world.after(ms, null, () => {
      if (!this.over) for (const [from, to] of ways) network.mend(from, to)
    })
  }

  /** A cut of one of the shapes that have found something elsewhere: halves, one alone, the leader alone, a bridge, single edges. */
  partition(chance: Chance): void {
    const { nodes } = this.#scene
    if (nodes.length < 2) return
    const shape = chance.pick(['halves', 'halves', 'alone', 'leader', 'bridge', 'edges'] as const)
    const sides = nodes.map(() => chance.is(0.5))
    const alone = shape === 'leader' ? (this.#leader() ?? chance.pick(nodes)) : chance.pick(nodes)
    const edges = nodes.map(() => nodes.map(() => chance.is(0.3)))
    const oneWay = chance.is(0.3)
    const apart = (i: number, j: number): boolean => {
      const [a, b] = [nodes[i] as Node, nodes[j] as Node]
      if (shape === 'edges') return edges[Math.min(i, j)]?.[Math.max(i, j)] === true && (!oneWay || i < j)
      if (shape === 'alone' || shape === 'leader') return a === alone || (b === alone && !oneWay)
      if (shape === 'bridge' && (a === alone || b === alone)) return false
      return sides[i] !== sides[j] && (!oneWay || sides[i] === true)
    }
    const ways = nodes.flatMap((a, i) =>
      nodes.flatMap((b, j) => (i !== j && apart(i, j) ? [[a.id, b.id] as const] : [])),
    )
    this.cut(ways, 100 + chance.exp(2500), chance)
  }
}
