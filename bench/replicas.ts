import { Client } from '../src/client/client.ts'
import { openThreeReplicas } from '../test/three-replicas.ts'
import type { Contender } from './contest.ts'
import { measure, prepare } from './workload.ts'

/**
 * What the code itself costs: three real replicas with real servers, and a client of one that follows, all in this one thread. Messages
 * and packets are encoded, framed and decoded as everywhere; disks and links are memory.
 */
export async function openReplicas(): Promise<Contender> {
  const { connect, stop } = await openThreeReplicas()
  const after = (ms: number, then: () => void) => {
    const timer = setTimeout(then, ms)
    return () => clearTimeout(timer)
  }
  const clock = { now: () => performance.now(), after }
  const client = Client.connect(connect, { clock, random: Math.random, touchedByHost: true })
  await client.connected()
  return {
    name: 'three replicas, 1 thread',
    version: 'in memory',
    async run(workload) {
      await prepare(client, workload.size)
      return await measure(client, workload)
    },
    async stop() {
      await client.close()
      await stop()
    },
  }
}
