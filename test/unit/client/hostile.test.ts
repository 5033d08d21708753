import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeeperError } from '../../../src/base/errors.ts'
import { encodeEvent, encodeReply } from '../../../src/jute/protocol.ts'
import { STAT, settled } from './scripted-server.ts'
import { connectedStage } from './stage.ts'

/** A good reply or event, or bytes; with a byte changed, or cut off. */
const packet = fc
  .tuple(
    fc.oneof(
      fc.constant(encodeReply({ xid: 1, zxid: 9, err: 0 }, 'getData', { data: Uint8Array.of(1, 2), stat: STAT })),
      fc.constant(encodeReply({ xid: 2, zxid: 9, err: 0 }, 'getChildren2', { children: ['a', 'b'], stat: STAT })),
      fc.constant(encodeEvent({ type: 3, state: 3, path: '/a' }, 4)),
      fc.uint8Array({ maxLength: 60 }),
    ),
    fc.nat(),
    fc.nat({ max: 255 }),
    fc.option(fc.nat(), { freq: 5 }),
  )
  .map(([bytes, at, to, cut]) => {
    const changed = bytes.slice()
    if (changed.length > 0) changed[at % changed.length] = to
    return cut === null ? changed : changed.subarray(0, cut % (changed.length + 1))
  })

test('whatever a server sends, each call ends once and with a KeeperError, and nothing else breaks', async () => {
  const errors: unknown[] = []
  await fc.assert(
    fc.asyncProperty(fc.array(packet, { maxLength: 6 }), fc.boolean(), async (packets, oneFrame) => {
      const { client, server } = await connectedStage({ onError: (error) => errors.push(error) })
      const calls = [client.getData('/a', { watch: () => undefined }), client.getChildren('/a')]
      const ends = Promise.allSettled(calls)
      await settled()
      if (oneFrame) await server.last.send(...packets)
      else for (const each of packets) await server.last.send(each)
      void client.close()
      await settled()
      await server.last.cut()
      for (const end of await ends) {
        if (end.status === 'rejected') expect(end.reason).toBeInstanceOf(KeeperError)
      }
      expect(client.state).toBe('closed')
    }),
    { numRuns: 300 },
  )
  expect(errors).toEqual([])
})
