import type { Connector } from '../../src/client/frame-pipe.ts'
import { nodeClock } from '../../src/node/node-platform.ts'
import { CONTRACTS } from '../recipe-contracts/contracts.ts'
import { OURS } from '../recipe-contracts/implementations.ts'
import { forgetful, type Stage } from '../recipe-contracts/stage.ts'
import type { Report } from '../report.ts'
import { connected, cuttable, overTcp, overWebSocket } from './clients.ts'
import { folder, freePort, startApache, startGateway, startProxy } from './servers.ts'

/** What the recipes promise, where no replica of ours answers: on ZooKeeper through the proxy, and on a gateway that stands alone. */
export async function recipes(report: Report): Promise<void> {
  const apache = await startApache()
  const gateway = await startGateway(folder(), await freePort())
  const [toApache, toGateway] = [await startProxy(apache.port), await startProxy(gateway.port)]
  const ways: readonly (readonly [string, Connector])[] = [
    ['ZooKeeper through the proxy', overWebSocket(toApache.port)],
    ['a gateway', overTcp(gateway.port)],
    ['a gateway through the proxy', overWebSocket(toGateway.port)],
  ]
  try {
    for (const [way, connector] of ways) {
      for (const { name, pitfall, run } of CONTRACTS) {
        await report.check(`${name}, on ${way}`, () => onStage(connector, (stage) => run(stage, OURS, pitfall)))
      }
    }
  } finally {
    await Promise.all([toApache.stop(), toGateway.stop()])
    await Promise.all([gateway.kill(), apache.kill()])
  }
}

let count = 0

/** Each contract has a tree of its own. */
async function onStage(connector: Connector, run: (stage: Stage) => Promise<void>): Promise<void> {
  const chroot = `/recipes-${count++}`
  const root = await connected(connector)
  await root.create(chroot)
  const open = [root]
  try {
    await run({
      pass: (ms) => new Promise((resolve) => nodeClock.after(ms, resolve)),
      page: async () => {
        const wire = cuttable(connector)
        const client = await connected(wire.connect, { chroot })
        open.push(client)
        const random = (into: Uint8Array<ArrayBuffer>): unknown => crypto.getRandomValues(into)
        return { ...forgetful(client), clock: nodeClock, random, cut: wire.cut, die: () => client.close() }
      },
    })
  } finally {
    await Promise.all(open.map((client) => client.close()))
  }
}
