import { LIMITS } from '../base/limits.ts'

/**
 * Pumps frames between a data channel that cannot leave the page and the worker's end of `port`, and closes one with the
 * other. On the port (see transport/message-port-link): an ArrayBuffer is a frame, a number says how many bytes the other side
 * has taken, a string is the reason why it closed. Frames are passed on unread.
 */
export function relay(channel: RTCDataChannel, port: MessagePort): void {
  /** From the worker, not yet given to the channel. */
  const waiting: ArrayBuffer[] = []
  /** Given to the worker, not yet taken by it. */
  let untaken = 0
  let open = true

  const end = (reason: string) => {
    if (!open) return
    open = false
    waiting.length = 0
    port.postMessage(reason)
    port.close()
    channel.close()
  }
  const pump = () => {
    let passed = 0
    try {
      while (channel.readyState === 'open' && channel.bufferedAmount < LIMITS.linkBufferedBytesMax) {
        const frame = waiting.shift()
        if (frame === undefined) break
        channel.send(frame)
        passed += frame.byteLength
      }
    } catch (error) {
      return end(`data channel cannot send: ${String(error)}`)
    }
    // The worker learns of what has left, not of what waits here: so it holds back as it would on the channel itself.
    if (passed > 0 && open) port.postMessage(passed)
  }

  channel.binaryType = 'arraybuffer'
  channel.bufferedAmountLowThreshold = LIMITS.linkBufferedBytesMax / 4
  channel.onopen = pump
  channel.onbufferedamountlow = pump
  channel.onclose = () => end('data channel closed')
  channel.onerror = () => end('data channel error')
  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (!open) return
    if (!(data instanceof ArrayBuffer)) return port.postMessage(null)
    const { byteLength } = data
    untaken += byteLength
    if (untaken > LIMITS.linkQueueBytesMax) return end('the worker does not take what comes')
    port.postMessage(data, [data])
  }
  port.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (data instanceof ArrayBuffer) {
      waiting.push(data)
      pump()
    } else if (typeof data === 'number') untaken -= data
    else end(String(data))
  }
}
