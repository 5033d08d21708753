import { decodeConfig } from '../../src/zab/membership.ts'
import { majority } from '../../src/zab/quorum.ts'
import type { Chance } from './chance.ts'
import type { Network } from './network.ts'
import type { Node } from './node.ts'
import type { World } from './world.ts'

/**
 * A core: a quorum of every configuration that anybody's log may still count on, drawn at random. The product owes progress to it alone,
 * whatever stays broken around it.
 */
export function drawCore(nodes: readonly Node[], chance: Chance): Node[] {
  const groups = nodes.flatMap(({ options: { disk }, replica }) => {
    const onDisk = [...(disk.baseConfig === null ? [] : [disk.baseConfig]), ...disk.entries]
      .filter(({ kind }) => kind === 'config')
      .map(({ bytes }) => decodeConfig(bytes))
    const inMemory = replica?.peer.history.configs.map(({ config }) => config) ?? []
    return [...onDisk, ...inMemory].flatMap(({ voters, old }) => (old === null ? [voters] : [voters, old]))
  })
  const core = new Set<Node>()
  const enough = (): boolean =>
    groups.every((voters) => [...core].filter(({ id }) => voters.includes(id)).length >= majority(voters.length))
  const waiting = [...nodes]
  while (waiting.length > 0 && !enough()) core.add(waiting.splice(chance.int(0, waiting.length - 1), 1)[0] as Node)
  return nodes.filter((node) => core.has(node))
}

/** What stays wrong with somebody outside the core, for ever. A link that hears nothing fails after a while, as in a browser. */
export function breakForGood(
  node: Node,
  core: readonly Node[],
  how: 'dead' | 'frozen' | 'mute' | 'deaf' | 'apart',
  world: World,
  network: Network,
  noticed: () => number,
): void {
  node.retired = true
  if (how === 'dead') {
    network.crashed(node.id, noticed, false)
    if (node.alive) node.crash(world.chance('core'))
    return
  }
  if (how === 'frozen') {
    if (node.alive) node.freeze()
    return
  }
  for (const { id } of core) {
    if (how !== 'deaf') network.cut(node.id, id)
    if (how !== 'mute') network.cut(id, node.id)
    world.after(world.chance('core').int(15_000, 17_000), null, () => network.reset(node.id, id, () => 0))
  }
}
