import { relay } from './relay.ts'

/**
 * Gives a new channel to the worker: the channel itself, or, where the browser cannot transfer one, a port that the page
 * pumps it through. Call it in the task that made the channel; `deliver` posts before it returns.
 */
export async function handOver(
  channel: RTCDataChannel,
  deliver: (end: RTCDataChannel | MessagePort) => Promise<void>,
): Promise<'transferred' | 'relayed'> {
  try {
    await deliver(channel)
    return 'transferred'
  } catch (error) {
    // Refused before it left: the channel is still ours.
    if (!(error instanceof DOMException && error.name === 'DataCloneError')) throw error
  }
  const { port1, port2 } = new MessageChannel()
  relay(channel, port1)
  await deliver(port2)
  return 'relayed'
}
