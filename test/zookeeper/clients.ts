import WebSocket from 'ws'
import { Client, type ClientOptions } from '../../src/client/client.ts'
import type { Connector, FramePipe } from '../../src/client/frame-pipe.ts'
import { type PipeSocket, webSocketPipe } from '../../src/client/web-socket-pipe.ts'
import { nodeClock } from '../../src/node/node-platform.ts'
import { connectTcp } from '../../src/node/tcp-pipe.ts'
import { HOST } from './servers.ts'

export const overTcp =
  (port: number): Connector =>
  () =>
    connectTcp(HOST, port)
export const overWebSocket = (port: number): Connector =>
  webSocketPipe(`ws://${HOST}:${port}`, (url) => new WebSocket(url) as unknown as PipeSocket)

/** A connector whose newest connection can be cut. */
export function cuttable(connector: Connector): { readonly connect: Connector; cut(): void } {
  let pipe: FramePipe | null = null
  return {
    connect: async () => {
      pipe = await connector()
      return pipe
    },
    // The pipe's own end is told too, as if the network had failed.
    cut: () => pipe?.close(),
  }
}

export async function connected(connector: Connector, options: Partial<ClientOptions> = {}): Promise<Client> {
  const client = Client.connect(connector, {
    clock: nodeClock,
    random: Math.random,
    sessionTimeout: 20_000,
    ...options,
  })
  await client.connected({ signal: AbortSignal.timeout(20_000) })
  return client
}
