import type { FramePipe } from '../../src/client/frame-pipe.ts'
import type { ClientPipe } from '../../src/replica/api.ts'
import type { Node } from './node.ts'
import type { World } from './world.ts'

/** A client's connection to a replica, with latency: FIFO both ways; it ends with the replica's life, which the client learns a little later. */
export function connectTo(world: World, node: Node, latency: () => number): Promise<FramePipe> {
  const replica = node.replica
  if (replica === null) return Promise.reject(new Error('nobody there'))
  let open = true
  const toServer: Uint8Array[] = []
  const toClient: Uint8Array[] = []
  let serverAt = 0
  let clientAt = 0
  const endClient = (reason: string, after: number): void => {
    if (!open) return
    open = false
    world.at(Math.max(clientAt, world.now + after), null, () => client.onclose?.(reason))
  }
  const server: ClientPipe = {
    onframe: null,
    onclose: null,
    send: (frame) => {
      if (!open) return
      toClient.push(frame)
      clientAt = Math.max(clientAt, world.now + latency())
      world.at(clientAt, null, () => {
        const next = toClient.shift()
        if (next !== undefined) client.onframe?.(next)
      })
    },
    close: () => endClient('closed by the replica', latency()),
  }
  const client: FramePipe = {
    onframe: null,
    onclose: null,
    send: (frame) => {
      if (!open) return
      toServer.push(frame)
      serverAt = Math.max(serverAt, world.now + latency())
      world.at(serverAt, node, () => {
        const next = toServer.shift()
        if (open && next !== undefined) server.onframe?.(next)
      })
    },
    close: () => {
      if (!open) return
      open = false
      world.at(Math.max(serverAt, world.now + latency()), node, () => server.onclose?.('closed by the client'))
    },
  }
  node.pipes.add(endClient)
  return new Promise((resolve, reject) => {
    world.after(latency(), node, () => {
      if (node.replica !== replica) return reject(new Error('gone'))
      replica.clientConnected(server, { from: 'peer', address: '' })
      resolve(client)
    })
    world.after(3000, null, () => reject(new Error('no answer')))
  })
}
