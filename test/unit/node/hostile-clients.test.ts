import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Client } from '../../../src/client/client.ts'
import { PacketBatch } from '../../../src/jute/packets.ts'
import { Gateway } from '../../../src/node/gateway.ts'
import { nodeClock } from '../../../src/node/node-platform.ts'
import { connectTcp } from '../../../src/node/tcp-pipe.ts'
import { record } from '../../fuzz/corpus.ts'
import { Dice, mutated } from '../../fuzz/mutate.ts'

const HOST = '127.0.0.1'
const HOSTILE = 300

test('clients that send mutated frames lose their connection, and nobody else notices', async () => {
  const data = mkdtempSync(join(tmpdir(), 'tabkeeper-hostile-'))
  const gateway = await Gateway.start({ listen: { host: HOST, port: 0 }, data })
  const { port } = gateway.address
  const corpus = await record(16)
  const dice = new Dice(5)
  const pick = (from: readonly Uint8Array[]): Uint8Array => from[dice.below(from.length)] as Uint8Array
  const states: string[] = []
  const good = Client.connect(() => connectTcp(HOST, port), { clock: nodeClock, random: Math.random })
  await good.connected()
  good.onState(({ state }) => states.push(state))
  const { path } = await good.create('/still', 'here', { mode: 'ephemeral' })

  /** A proper beginning and what no server takes: it hangs up by itself. */
  const refused = (): Promise<void> =>
    new Promise((resolve) => {
      const hello = new PacketBatch().add(pick(corpus.connects)).take()
      const socket = connect(port, HOST, () => socket.write(Buffer.concat([hello, Uint8Array.of(255, 255, 255, 255)])))
      socket.on('error', () => undefined)
      socket.on('close', () => resolve())
      socket.resume()
    })
  /** A proper beginning or a broken one, then frames of others with changes. A changed length may wait for bytes that never come. */
  const hostile = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(port, HOST, () => {
        const hello = pick(corpus.connects)
        socket.write(new PacketBatch().add(dice.below(3) === 0 ? mutated(hello, hello, dice) : hello).take())
        for (let left = dice.below(6); left > 0; left--) socket.write(mutated(pick(corpus.toServer), hello, dice))
        socket.end(Uint8Array.of(255, 255, 255, 255))
      })
      socket.on('error', () => undefined)
      socket.on('close', () => resolve())
      socket.resume()
    })
  let writes = 0
  let over = false
  const working = (async () => {
    for (; !over; writes++) await good.setData(path, `${writes}`, { version: writes })
  })()
  for (let batch = 0; batch < HOSTILE / 20; batch++) await Promise.all(Array.from({ length: 20 }, hostile))
  for (let left = 10; left > 0; left--) await refused()
  over = true
  await working
  expect(states).toEqual([])
  expect(writes).toBeGreaterThan(10)
  expect((await good.exists(path))?.version).toBe(writes)
  await good.close()
  await gateway.close()
  rmSync(data, { recursive: true, force: true })
})
