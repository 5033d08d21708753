import type { EnsembleId, LinkId, ReplicaId } from '../../src/base/ids.ts'
import { makeWires } from '../../src/keeper/wires.ts'
import { type LinkBinding, Mesh } from '../../src/mesh/mesh.ts'
import { openRtcPair } from '../../src/mesh/rtc-pair.ts'
import { PEER_VERSION, PEER_VERSION_MAX } from '../../src/transport/codec.ts'
import { dataChannelLink } from '../../src/transport/data-channel-link.ts'
import { openPeerLink } from '../../src/transport/open-peer-link.ts'
import type { PeerLink } from '../../src/transport/peer-link.ts'
import { FORMAT_VERSION } from '../../src/zab/membership.ts'

export interface Held {
  readonly link: PeerLink
  /** Under the link: what is sent here goes out as it is. */
  readonly channel: RTCDataChannel
}

/**
 * In a page: somebody who knows the secret and means harm. It finds, connects and greets as a member does, by the library's own parts, and holds
 * its channels itself.
 */
export class Intruder {
  readonly links = new Map<ReplicaId, Held>()
  /** Why links ended, by member. */
  readonly ended = new Map<ReplicaId, string>()
  readonly #mesh: Mesh
  readonly #ticks: ReturnType<typeof setInterval>

  /** `alias`: what it says in its hello that it is. */
  static async enter(name: string, secret: Uint8Array, ensemble: string, voters: readonly number[], alias?: number) {
    const wires = await makeWires({ ensemble: name, secret }, () => undefined)
    const intruder = new Intruder(wires, ensemble as EnsembleId, voters as readonly ReplicaId[], alias as ReplicaId)
    await intruder.#mesh.join()
    return intruder
  }

  private constructor(
    wires: Awaited<ReturnType<typeof makeWires>>,
    ensemble: EnsembleId,
    voters: readonly ReplicaId[],
    alias: ReplicaId | undefined,
  ) {
    const self = Math.floor(Math.random() * 2 ** 52) as ReplicaId
    const hello = {
      ensemble,
      replica: alias ?? self,
      incarnation: Date.now() * 1000,
      versionMin: PEER_VERSION,
      versionMax: PEER_VERSION_MAX,
      format: FORMAT_VERSION,
      browser: 'elsewhere',
      build: 'intruder',
    }
    const binds = new Map<string, (binding: LinkBinding) => void>()
    this.#mesh = new Mesh(
      {
        topic: wires.topic,
        ensemble,
        self,
        incarnation: hello.incarnation,
        signaling: wires.signaling,
        iceServers: () => [],
        openPair: openRtcPair,
        now: () => performance.now(),
        chance: () => Math.random(),
      },
      {
        deliver: async (peer, attempt, { control }) => {
          const channel = control as RTCDataChannel
          const bound = new Promise<LinkBinding>((bind) => void binds.set(`${peer} ${attempt}`, bind))
          const key = wires.key?.link as Uint8Array
          const end = (reason: string): void => {
            this.links.delete(peer)
            this.ended.set(peer, reason)
            this.#mesh.linkClosed(peer, attempt, true)
          }
          const link = await openPeerLink(dataChannelLink(channel), hello, {
            linkId: attempt as unknown as LinkId,
            secret: { key, nonce: crypto.getRandomValues(new Uint8Array(32)), bound },
          }).catch((error: unknown) => end(String(error)))
          if (!link) return
          link.onmessages = () => undefined
          link.onclose = end
          this.links.set(peer, { link, channel })
          this.#mesh.linkOpened(peer, attempt)
        },
        bound: (peer, attempt, binding) => binds.get(`${peer} ${attempt}`)?.(binding),
        heard: () => undefined,
        stranger: () => undefined,
        notice: () => undefined,
      },
    )
    // It says that it votes, so that all voters take its calls.
    this.#mesh.stands({ stands: 'votes', voters, leader: null, parent: null, wantedBy: null, serving: true })
    this.#ticks = setInterval(() => this.#mesh.ticked(), 50)
  }

  leave(): void {
    clearInterval(this.#ticks)
    this.#mesh.close()
  }
}
