import { LIMITS } from '../base/limits.ts'
import { PacketBatch, PacketSplitter } from '../jute/packets.ts'
import { DecodeError } from '../jute/reader.ts'

/** A client's connection over a data channel; as client/frame-pipe. */
export interface ChannelPipe {
  send(frame: Uint8Array<ArrayBuffer>): void
  close(): void
  onframe: ((frame: Uint8Array) => void) | null
  onclose: ((reason: string) => void) | null
}

/**
 * ZooKeeper's client protocol over an ordered data channel, as over TCP: a stream of packets, each behind its 4-byte length, cut at
 * LIMITS.frameBytesMax wherever that falls. What comes together is given on as one frame of whole packets. `packetBytesMax`: of a packet that
 * comes in; a longer one, and text, end the connection.
 */
export function channelPipe(channel: RTCDataChannel, packetBytesMax: number = LIMITS.packetBytesMax): ChannelPipe {
  const splitter = new PacketSplitter(packetBytesMax)
  const waiting: Uint8Array<ArrayBuffer>[] = []
  let waitingBytes = 0
  let open = true

  const end = (reason: string): void => {
    if (!open) return
    open = false
    waiting.length = 0
    channel.close()
    pipe.onclose?.(reason)
  }
  const pump = (): void => {
    try {
      while (open && channel.readyState === 'open' && channel.bufferedAmount < LIMITS.linkBufferedBytesMax) {
        const piece = waiting.shift()
        if (piece === undefined) return
        waitingBytes -= piece.length
        channel.send(piece)
      }
    } catch (error) {
      end(`data channel cannot send: ${String(error)}`)
    }
  }
  const hear = (data: unknown): void => {
    if (!open) return
    if (!(data instanceof ArrayBuffer)) return end('text came where packets were expected')
    const batch = new PacketBatch()
    try {
      for (const packet of splitter.push(new Uint8Array(data))) batch.add(packet)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      return end(`unreadable: ${error.message}`)
    }
    if (batch.length > 0) pipe.onframe?.(batch.take())
  }

  const pipe: ChannelPipe = {
    send(frame) {
      if (!open) return
      waitingBytes += frame.length
      if (waitingBytes > LIMITS.clientQueueBytesMax) return end('the other side does not read')
      for (let at = 0; at < frame.length; at += LIMITS.frameBytesMax)
        waiting.push(frame.subarray(at, at + LIMITS.frameBytesMax))
      pump()
    },
    close: () => end('closed here'),
    onframe: null,
    onclose: null,
  }
  channel.binaryType = 'arraybuffer'
  channel.bufferedAmountLowThreshold = LIMITS.linkBufferedBytesMax / 4
  channel.addEventListener('open', pump)
  channel.onbufferedamountlow = pump
  channel.onmessage = ({ data }: MessageEvent<unknown>) => hear(data)
  channel.onclose = () => end('data channel closed')
  channel.onerror = () => end('data channel error')
  return pipe
}
