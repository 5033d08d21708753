import { deepEqual, equal, ok } from 'node:assert/strict'
import { KeeperError } from '../../src/base/errors.ts'
import type { Client } from '../../src/client/client.ts'
import type { Report } from '../report.ts'
import { connected, overTcp } from './clients.ts'
import { folder, freePort, type Running, startGateway } from './servers.ts'

const KILLS = 50
const WRITERS = 8
/** Under load for so long before each kill, milliseconds. */
const [SHORTEST, LONGEST] = [20, 250]

/** What a client was told, and what it was not told. */
class Ledger {
  readonly acknowledged = new Set<string>()
  readonly unknown = new Set<string>()
  #next = 0

  path(): string {
    return `/load/${String(this.#next++).padStart(8, '0')}`
  }
}

/** A gateway dies again and again with SIGKILL: nothing that was acknowledged is lost, and the session lives through it. */
export async function kill(report: Report): Promise<void> {
  const [data, port] = [folder(), await freePort()]
  let gateway: Running = await startGateway(data, port)
  try {
    await report.check(
      `${KILLS} times SIGKILL under load: no acknowledged write is lost, the session resumes`,
      async () => {
        const client = await connected(overTcp(port), { sessionTimeout: 40_000 })
        const session = client.sessionId
        await client.create('/load')
        await client.create('/alive', null, { mode: 'ephemeral' })
        const ledger = new Ledger()
        const stop = new AbortController()
        const writers = Array.from({ length: WRITERS }, () => write(client, ledger, stop.signal))
        for (let i = 0; i < KILLS; i++) {
          await new Promise((resolve) => setTimeout(resolve, SHORTEST + Math.random() * (LONGEST - SHORTEST)))
          await gateway.kill()
          gateway = await startGateway(data, port)
          await client.connected({ signal: AbortSignal.timeout(20_000) })
          equal(client.sessionId, session)
          equal((await client.exists('/alive'))?.ephemeralOwner, session)
        }
        stop.abort()
        await Promise.all(writers)
        await examine(port, ledger)
        await client.close()
        const other = await connected(overTcp(port))
        equal(await other.exists('/alive'), null)
        await other.close()
        console.log(`        ${ledger.acknowledged.size} writes acknowledged, ${ledger.unknown.size} cut off`)
      },
    )
    await report.check('SIGTERM ends it with 0, and everything is there again afterwards', async () => {
      const before = await connected(overTcp(port))
      const { stat } = await before.create('/last', 'word')
      equal(await gateway.stop(), 0)
      gateway = await startGateway(data, port)
      await before.connected({ signal: AbortSignal.timeout(20_000) })
      deepEqual((await before.getData('/last')).stat, stat)
      await before.close()
    })
  } finally {
    await gateway.kill()
  }
}

async function write(client: Client, ledger: Ledger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const path = ledger.path()
    try {
      await client.create(path, path)
      ledger.acknowledged.add(path)
    } catch (error) {
      if (!(error instanceof KeeperError) || error.code !== 'ConnectionLoss') throw error
      ledger.unknown.add(path)
    }
  }
}

/** Every acknowledged write is there, and nothing that nobody asked for. */
async function examine(port: number, { acknowledged, unknown }: Ledger): Promise<void> {
  ok(acknowledged.size > KILLS)
  const reader = await connected(overTcp(port))
  const { children } = await reader.getChildren('/load')
  const there = new Set(children.map((name) => `/load/${name}`))
  deepEqual(
    [...acknowledged].filter((path) => !there.has(path)),
    [],
  )
  deepEqual(
    [...there].filter((path) => !acknowledged.has(path) && !unknown.has(path)),
    [],
  )
  const last = [...acknowledged].at(-1) as string
  equal(Buffer.from((await reader.getData(last)).data ?? []).toString(), last)
  await reader.close()
}
