import { configOf, type History, makeHistory } from '../../src/zab/history.ts'
import { isVoter } from '../../src/zab/membership.ts'
import { hasQuorum, majority } from '../../src/zab/quorum.ts'
import { isBehind } from '../../src/zab/standing.ts'
import type { Chance } from './chance.ts'
import { copyOf, type DiskState, goBack } from './disk.ts'
import type { Network } from './network.ts'
import type { Node } from './node.ts'
import type { World } from './world.ts'

interface Scene {
  readonly world: World
  readonly network: Network
  readonly nodes: readonly Node[]
  readonly chance: Chance
  say(line: string): void
  noticed(): number
}

/**
 * Stores that go backwards: a replica is restarted on an older state of its own disk. Either it can tell (a garbled last record), or it cannot;
 * then it first meets only those who remember more of it, because nobody could tell otherwise (docs/protocol.md says which ones are seen).
 */
export class Backwards {
  readonly #scene: Scene
  readonly #copies = new Map<Node, DiskState>()
  /** Went back and does not know it yet, with what it had. */
  readonly #unaware = new Map<Node, DiskState>()

  constructor(scene: Scene) {
    this.#scene = scene
  }

  remember(): void {
    const node = this.#scene.chance.pick(this.#scene.nodes)
    if (!this.#unaware.has(node)) this.#copies.set(node, copyOf(node.options.disk))
  }

  strike(): void {
    const { world, network, nodes, chance, say, noticed } = this.#scene
    const node = chance.pick(nodes)
    const copy = this.#copies.get(node)
    if (copy === undefined || this.#unaware.has(node) || node.options.disk.demoted) return
    // One vote may be about to go to the one on a server, by a record that is on no disk yet: without its memory nobody could commit that.
    if (node.options.lasting) return
    if (!this.#oneMayGo() || !this.#quorumWithout(node)) return
    this.#copies.delete(node)
    network.crashed(node.id, noticed)
    if (node.alive) node.crash()
    const { disk, checkers } = node.options
    const before = copyOf(disk)
    const tells = chance.is(0.5) && this.#convictors(node, copy).length > 0 && needsOthers(copy)
    goBack(disk, copy, !tells)
    checkers.forgive(disk)
    if (tells) this.#unaware.set(node, before)
    say(`backwards ${node.id}${tells ? ', unaware' : ''}`)
    world.after(20 + chance.exp(1500), null, () => {
      if (!node.alive) node.start()
    })
  }

  /** May these two have a link? */
  mayMeet(a: Node, b: Node): boolean {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      if (this.#isUnaware(one) && !this.#convictors(one, one.options.disk).includes(other)) return false
    }
    return true
  }

  /** Where nobody is left who could tell, the operator notices: the disk is put back as it was. */
  takeBack(): void {
    for (const [node, before] of this.#unaware) {
      if (!this.#isUnaware(node) || this.#convictors(node, node.options.disk).length > 0) continue
      this.#scene.say(`put back ${node.id}`)
      this.#unaware.delete(node)
      this.#scene.network.crashed(node.id, this.#scene.noticed)
      if (node.alive) node.crash()
      const { disk, checkers } = node.options
      goBack(disk, before, before.demoted)
      checkers.forgive(disk)
      node.start()
    }
  }

  #isUnaware(node: Node): boolean {
    if (!this.#unaware.has(node)) return false
    // It may have been told, and let in again, since anybody looked.
    if (node.options.disk.demotions === this.#unaware.get(node)?.demotions) return true
    this.#unaware.delete(node)
    return false
  }

  /** Whoever is there, remembers more of this voter, and will say so. */
  #convictors(node: Node, disk: DiskState): Node[] {
    const zxid = disk.entries.at(-1)?.zxid ?? disk.base
    const has = { acceptedEpoch: disk.acceptedEpoch, currentEpoch: disk.currentEpoch, zxid }
    return this.#scene.nodes.filter((other) => {
      const peer = other.replica?.peer
      const then = peer?.memory.get(node.id)
      return (
        other !== node &&
        peer !== undefined &&
        then !== undefined &&
        isVoter(configOf(peer.history), node.id) &&
        isBehind(has, then)
      )
    })
  }

  /** Fewer than a majority of as many voters as are wanted: a leader may be about to propose a configuration of just these, which is on no disk yet. */
  #oneMayGo(): boolean {
    const { nodes } = this.#scene
    const gone = nodes.filter((one) => one.options.disk.demoted || this.#unaware.has(one)).length
    return gone < Math.max(1, Math.floor(((nodes[0]?.options.voters ?? 1) - 1) / 2))
  }

  /** Whatever configuration counts, a quorum must be left that has its memory: without one the ensemble rightly stands still. */
  #quorumWithout(node: Node): boolean {
    const { nodes } = this.#scene
    const sound = new Set(
      nodes.filter((one) => one !== node && !one.options.disk.demoted && !this.#unaware.has(one)).map(({ id }) => id),
    )
    const decides = ({ configs }: History): boolean =>
      configs.every(({ config }) =>
        [config.voters, config.old ?? config.voters].every(
          (voters) => voters.filter((id) => sound.has(id)).length >= majority(voters.length),
        ),
      )
    // What a leader has just proposed may be on its way to a disk, and on none yet.
    return nodes.every(
      ({ replica, options: { disk } }) =>
        decides(makeHistory(disk.base, disk.baseConfig, disk.entries)) &&
        (replica?.peer === undefined || decides(replica.peer.history)),
    )
  }
}

/** One that was a sole voter leads before it meets anybody: nobody could tell it in time. */
function needsOthers(copy: DiskState): boolean {
  const config = configOf(makeHistory(copy.base, copy.baseConfig, copy.entries))
  return config === null || !hasQuorum(config, (id) => id === copy.replica)
}
