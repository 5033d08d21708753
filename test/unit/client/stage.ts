import { Client, type ClientOptions } from '../../../src/client/client.ts'
import { ManualClock, ScriptedServer, type Stage, settled } from './scripted-server.ts'

/** A client with a server that says nothing by itself. */
export async function stage(options: Partial<ClientOptions> = {}): Promise<Stage> {
  const server = new ScriptedServer()
  const clock = new ManualClock()
  const client = Client.connect(server.connect, { clock, random: () => 0.5, sessionTimeout: 6000, ...options })
  await settled()
  return { client, server, clock }
}

/** The same, welcomed. */
export async function connectedStage(options: Partial<ClientOptions> = {}): Promise<Stage> {
  const staged = await stage(options)
  await staged.server.last.welcome()
  return staged
}
