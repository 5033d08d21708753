import type { FramePipe } from './frame-pipe.ts'

/** What is used of a MessagePort. */
export interface PipePort {
  onmessage: ((event: never) => void) | null
  onmessageerror: ((event: never) => void) | null
  postMessage(message: unknown, transfer: ArrayBuffer[]): void
  close(): void
}

/**
 * Frames over a MessagePort, one ArrayBuffer each, transferred; null says that the sender has closed. What comes before
 * `onframe` is set waits in the port. A page whose worker dies closes its end itself: the port does not tell.
 */
export function portPipe(port: PipePort): FramePipe {
  let onframe: ((frame: Uint8Array) => void) | null = null
  let open = true
  const end = (reason: string) => {
    if (!open) return
    open = false
    port.onmessage = null
    port.close()
    pipe.onclose?.(reason)
  }
  const hear = ({ data }: { readonly data: unknown }) => {
    if (data instanceof ArrayBuffer) onframe?.(new Uint8Array(data))
    else end('closed by the other side')
  }
  const pipe: FramePipe = {
    send: (frame) => {
      if (!open) return
      const buffer = frame.byteLength === frame.buffer.byteLength ? frame.buffer : frame.slice().buffer
      port.postMessage(buffer, [buffer])
    },
    close: () => {
      if (!open) return
      port.postMessage(null, [])
      end('closed here')
    },
    get onframe() {
      return onframe
    },
    set onframe(listener) {
      onframe = listener
      // Setting `onmessage` starts the port.
      if (listener !== null && open) port.onmessage = hear
    },
    onclose: null,
  }
  port.onmessageerror = () => end('a message that could not be read')
  return pipe
}
