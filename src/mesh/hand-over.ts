import { relay } from './relay.ts'

/** A connection's two channels: heartbeats and all that is small, and streams, so that a snapshot never delays a heartbeat. */
export interface Ends<T> {
  readonly control: T
  readonly bulk: T
}

export type Channels = Ends<RTCDataChannel>

/** What the worker gets: the channels themselves, or the ports that the page pumps them through. */
export type WorkerEnds = Ends<RTCDataChannel | MessagePort>

/**
 * Gives new channels to the worker: the channels themselves, or, where the browser cannot transfer them, ports that the page
 * pumps them through. Call it in the task that made the channels; `deliver` posts before it returns.
 */
export async function handOver(
  channels: Channels,
  deliver: (ends: WorkerEnds) => Promise<void>,
): Promise<'transferred' | 'relayed'> {
  try {
    await deliver(channels)
    return 'transferred'
  } catch (error) {
    // Refused before they left: the channels are still ours.
    if (!(error instanceof DOMException && error.name === 'DataCloneError')) throw error
  }
  await deliver({ control: relayed(channels.control), bulk: relayed(channels.bulk) })
  return 'relayed'
}

function relayed(channel: RTCDataChannel): MessagePort {
  const { port1, port2 } = new MessageChannel()
  relay(channel, port1)
  return port2
}
