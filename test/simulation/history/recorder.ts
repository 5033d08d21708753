import type { SessionId } from '../../../src/base/ids.ts'
import type { Zxid } from '../../../src/base/zxid.ts'
import type { WatchEventType } from '../../../src/client/api.ts'
import type { FramePipe } from '../../../src/client/frame-pipe.ts'
import { EVENT_TYPES, XIDS } from '../../../src/jute/opcodes.ts'
import { splitPackets } from '../../../src/jute/packets.ts'
import {
  decodeConnectResponse,
  decodeEvent,
  decodeReply,
  decodeRequest,
  type Request,
} from '../../../src/jute/protocol.ts'
import type { SessionEvent, SessionHistory, Stamp } from './types.ts'
import { operation, outcome } from './wire.ts'

const TYPES = new Map<number, WatchEventType>(
  (['NodeCreated', 'NodeDeleted', 'NodeDataChanged', 'NodeChildrenChanged'] as const).map((type) => [
    EVENT_TYPES[type],
    type,
  ]),
)

type Untimed = SessionEvent extends infer E ? (E extends Stamp ? Omit<E, 'at' | 'ms'> : never) : never

/** What one client says and hears, taken down between it and its pipes: whoever it is, whatever its library makes of it. */
export class Recorder implements SessionHistory {
  readonly name: string
  readonly events: SessionEvent[] = []
  readonly #stamp: () => Stamp

  constructor(name: string, stamp: () => Stamp) {
    this.name = name
    this.#stamp = stamp
  }

  /** The pipe to be given to the client. Its frames are the pipe's own. */
  record(pipe: FramePipe): FramePipe {
    let greeted = false
    let answered = false
    let over = false
    const asked = new Map<number, Request>()
    const returning: number[] = []
    const note = (event: Untimed): void => {
      if (!over) this.events.push({ ...event, ...this.#stamp() } as SessionEvent)
    }
    const end = (): void => {
      if (greeted) note({ kind: 'lost' })
      over = true
    }
    const sent = (packet: Uint8Array): void => {
      if (!greeted) {
        greeted = true
        note({ kind: 'connect' })
        return
      }
      const { xid, request } = decodeRequest(packet)
      if (xid === XIDS.ping || xid === XIDS.auth) return
      // Of several packets the last one is answered; a client of the simulator never has so many watches.
      const op = operation(request)
      if (op === null) return
      // Several of these may be on their way under one number.
      const number = xid === XIDS.setWatches ? -1 - this.events.length : xid
      if (xid === XIDS.setWatches) returning.push(number)
      asked.set(number, request)
      note({ kind: 'invoke', xid: number, op })
    }
    const heard = (packet: Uint8Array): void => {
      if (!answered) {
        answered = true
        const { timeOut, sessionId } = decodeConnectResponse(packet)
        note(
          timeOut > 0 ? { kind: 'attached', session: sessionId as SessionId, timeout: timeOut } : { kind: 'expired' },
        )
        return
      }
      const { header, body } = decodeReply(packet)
      if (header.xid === XIDS.watchEvent) {
        const { type, path } = decodeEvent(body)
        const told = TYPES.get(type)
        if (told !== undefined) note({ kind: 'watch', type: told, path, zxid: header.zxid as Zxid })
        return
      }
      const xid = header.xid === XIDS.setWatches ? returning.shift() : header.xid
      const request = xid === undefined ? undefined : asked.get(xid)
      if (xid === undefined || request === undefined) return
      asked.delete(xid)
      const result = header.err === 0 ? outcome(request, body) : { error: header.err }
      note({ kind: 'reply', xid, zxid: header.zxid as Zxid, result })
    }
    const outer: FramePipe = {
      onframe: null,
      onclose: null,
      send: (frame) => {
        for (const packet of splitPackets(frame)) sent(packet)
        pipe.send(frame)
      },
      close: () => {
        end()
        pipe.close()
      },
    }
    pipe.onframe = (frame) => {
      for (const packet of splitPackets(frame)) heard(packet)
      outer.onframe?.(frame)
    }
    pipe.onclose = (reason) => {
      end()
      outer.onclose?.(reason)
    }
    return outer
  }
}
