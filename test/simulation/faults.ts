import type { Network } from './network.ts'
import type { Node } from './node.ts'
import type { Rates } from './swarm.ts'
import type { World } from './world.ts'

interface Scene {
  readonly world: World
  readonly network: Network
  readonly nodes: readonly Node[]
  readonly rates: Rates
  readonly sameBrowser: boolean
  /** Calls so many times a second, until the heal. */
  every(perSecond: number, what: () => void): void
  say(line: string): void
  /** How long until the others notice a crash. */
  noticed(): number
}

/** The fault menu of a timed life. */
export function scheduleFaults({ world, network, nodes, rates, every, say, noticed, sameBrowser }: Scene): void {
  const faults = world.chance('faults')
  const alive = (): Node[] => nodes.filter((node) => node.alive)
  every(rates.crash, () => {
    const there = alive()
    if (there.length === 0) return
    const node = faults.pick(there)
    say(`crash ${node.id}`)
    network.crashed(node.id, noticed)
    node.crash()
    for (const other of alive())
      if (sameBrowser) world.after(faults.int(20, 100), other, () => other.replica?.peerGone(node.id, 'died'))
    world.after(20 + faults.exp(1500), null, () => {
      if (node.alive) return
      say(`start ${node.id}`)
      node.start()
    })
  })
  every(rates.reset, () => {
    if (nodes.length < 2) return
    const [a, b] = [faults.pick(nodes), faults.pick(nodes)]
    if (a === b) return
    say(`reset ${a.id} ${b.id}`)
    network.reset(a.id, b.id, () => faults.int(0, 2000))
  })
  every(rates.cut, () => {
    const sides = nodes.map(() => faults.is(0.5))
    const oneWay = faults.is(0.3)
    say(`cut ${sides.map((side, i) => (side ? nodes[i]?.id : '')).join('')}${oneWay ? ' one way' : ''}`)
    for (const [i, a] of nodes.entries()) {
      for (const [j, b] of nodes.entries()) if (sides[i] !== sides[j] && (!oneWay || sides[i])) network.cut(a.id, b.id)
    }
    world.after(100 + faults.exp(2500), null, () => network.heal())
  })
  every(rates.freeze, () => {
    const there = alive().filter((node) => !node.frozen)
    if (there.length === 0) return
    const node = faults.pick(there)
    say(`freeze ${node.id}`)
    node.freeze()
    world.after(200 + faults.exp(2500), null, () => {
      if (!node.frozen) return
      say(`thaw ${node.id}`)
      node.thaw()
    })
  })
  every(rates.stepDown, () => {
    const leader = alive().find((node) => node.replica?.peer.role.kind === 'leading')
    if (leader === undefined || leader.frozen) return
    say(`step down ${leader.id}`)
    leader.replica?.stepDown('asked')
  })
}
