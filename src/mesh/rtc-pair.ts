import SimplePeer from 'simple-peer/simplepeer.min.js'
import { parseNegotiation } from '../signaling/parse-signal.ts'
import type { Negotiation } from '../signaling/signal.ts'
import type { Channels } from './hand-over.ts'
import { PairBudget } from './pair-budget.ts'

/** One connection to one peer, while it is made and while it lives. */
export interface RtcPair {
  /** A step from the other side. Never throws. */
  signal(data: Negotiation): void
  /** Synchronous, so that it works in `pagehide`; the other side notices at once. No event follows. Idempotent. */
  close(): void
}

export interface PairEvents {
  /** Within the call of `openRtcPair`: channels must be transferred in this very task, later the browser refuses. */
  readonly onchannels: (channels: Channels) => void
  readonly onsignal: (data: Negotiation) => void
  /** Once, unless it was we who closed. */
  readonly onclose: (reason: string) => void
}

export type OpenPair = (initiator: boolean, iceServers: readonly RTCIceServer[], events: PairEvents) => RtcPair

/** Beyond this many steps an attempt is not a negotiation any more: candidates wait in memory until a description comes. */
const STEPS_MAX = 256

/** Both sides name the channels by number, so that they need no word of signaling. simple-peer's own channel stays unused. */
const CONTROL = { label: 'tabkeeper', id: 100 } as const
const BULK = { label: 'tabkeeper bulk', id: 101 } as const

export const openRtcPair: OpenPair = (initiator, iceServers, events) =>
  openPairBy(undefined, { iceServers: [...iceServers] }, initiator, events)

/** The same by TURN servers alone: the other side learns no address of this one, and there is no path without such a server. */
export const openRelayedPair: OpenPair = (initiator, iceServers, events) =>
  openPairBy(undefined, { iceServers: [...iceServers], iceTransportPolicy: 'relay' }, initiator, events)

/** The same outside of a browser: `wrtc` has the platform's classes, `RTCPeerConnection` and the like. */
export const rtcPairsBy =
  (wrtc: object): OpenPair =>
  (initiator, iceServers, events) =>
    openPairBy(wrtc, { iceServers: [...iceServers] }, initiator, events)

/** The page's: all of its ensembles share it. */
const budget = new PairBudget()

function openPairBy(
  wrtc: object | undefined,
  config: RTCConfiguration,
  initiator: boolean,
  events: PairEvents,
): RtcPair {
  budget.spend()
  const peer = new SimplePeer({ initiator, trickle: true, config, ...(wrtc && { wrtc }) })
  const connection = peer._pc
  if (connection === undefined) budget.refused()
  let open = true
  let steps = 0
  let why = 'the connection closed'
  const end = (reason: string) => {
    if (!open) return
    open = false
    // First the connection itself: simple-peer puts it off to a microtask, which a page that goes away does not reach.
    connection?.close()
    peer.destroy()
    events.onclose(reason)
  }
  peer.on('error', (error) => {
    why = error.message
  })
  peer.on('close', () => end(why))
  peer.on('signal', (step) => {
    const data = parseNegotiation(toPlain(step))
    if (open && data !== null) events.onsignal(data)
  })
  if (connection !== undefined && !peer.destroyed) {
    events.onchannels({ control: channelOf(connection, CONTROL), bulk: channelOf(connection, BULK) })
  }
  return {
    signal: (data) => {
      if (!open) return
      steps += 1
      if (steps > STEPS_MAX) return end('too many signals for one attempt')
      try {
        peer.signal(data)
      } catch (error) {
        end(`a signal that does not fit: ${String(error)}`)
      }
    },
    close: () => {
      if (!open) return
      open = false
      connection?.close()
      peer.destroy()
    },
  }
}

function channelOf(connection: RTCPeerConnection, { label, id }: typeof CONTROL | typeof BULK): RTCDataChannel {
  const channel = connection.createDataChannel(label, { negotiated: true, id, ordered: true })
  channel.binaryType = 'arraybuffer'
  return channel
}

/** Descriptions and candidates are platform objects with getters; signaling wants plain data. */
const toPlain = (step: unknown): unknown => JSON.parse(JSON.stringify(step))
