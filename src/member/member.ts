import { BUILD } from '../base/build.ts'
import type { ReplicaId } from '../base/ids.ts'
import { sessionFromHex } from '../base/life-locks.ts'
import { Mesh } from '../mesh/mesh.ts'
import { standingOf } from '../mesh/partners.ts'
import { rtcPairsBy } from '../mesh/rtc-pair.ts'
import type { ReplicaHost, ReplicaListener } from '../replica/api.ts'
import { Farewells } from '../replica/farewells.ts'
import { Introducer } from '../replica/introducer.ts'
import { LinkDesk } from '../replica/link-desk.ts'
import type { WorkerEvent } from '../replica/service-api.ts'
import type { Recovered } from '../storage/txn-log.ts'
import { PEER_VERSION, PEER_VERSION_MAX } from '../transport/codec.ts'
import { FORMAT_VERSION } from '../zab/membership.ts'
import type { Rendezvous } from './rendezvous.ts'

export interface MemberOptions {
  readonly rendezvous: Rendezvous
  readonly recovered: Pick<Recovered, 'ensemble' | 'replica' | 'incarnation'>
  /** The failure domain that this replica is in. */
  readonly browser: string
  /** The platform's WebRTC classes. */
  readonly wrtc: object
  readonly iceServers: readonly RTCIceServer[]
  readonly notice: (message: string) => void
}

const TICK_MS = 250
const FAREWELLS_MS = 1000

/**
 * A replica's part in the mesh where there is no page: it dials and answers as a page does, and keeps its ends of the links. What a page
 * and its worker are to each other, two objects are here.
 */
export class Member {
  readonly #options: MemberOptions
  readonly #replica: ReplicaHost
  readonly #mesh: Mesh
  readonly #farewells: Farewells
  readonly #timers: ReturnType<typeof setInterval>[] = []
  readonly #lobby: ReturnType<Rendezvous['lobby']>

  constructor(options: MemberOptions, replica: ReplicaHost) {
    const { rendezvous, recovered, browser, wrtc, iceServers, notice } = options
    const { ensemble, replica: self, incarnation } = recovered
    this.#options = options
    this.#replica = replica
    this.#farewells = new Farewells(replica)
    const hello = {
      ensemble,
      replica: self,
      incarnation,
      versionMin: PEER_VERSION,
      versionMax: PEER_VERSION_MAX,
      format: FORMAT_VERSION,
      browser,
      build: BUILD,
      lasting: true,
    }
    const introducer = new Introducer(
      self,
      () => performance.now(),
      (text) => rendezvous.introductions.heard(text),
    )
    rendezvous.introductions.say = (to, text) => introducer.say(to, text)
    const desk = new LinkDesk(
      hello,
      (link) => {
        replica.linkOpened(link)
        introducer.linkOpened(link)
      },
      (event) => this.#on(event),
      {
        key: rendezvous.key.link,
        entropy: (length) => crypto.getRandomValues(new Uint8Array(length)),
      },
    )
    this.#mesh = new Mesh(
      {
        topic: rendezvous.topic,
        ensemble,
        self,
        incarnation,
        signaling: rendezvous.signaling,
        iceServers: () => iceServers,
        openPair: rtcPairsBy(wrtc),
        now: () => performance.now(),
        chance: () => Math.random(),
      },
      {
        deliver: async (peer, attempt, ends) => desk.add(peer, attempt, ends),
        bound: (peer, attempt, binding) => desk.bind(peer, attempt, binding),
        heard: (signal) => {
          if (signal.kind === 'bye') this.#gone(signal.from, 'it said goodbye')
          else if (signal.kind === 'stepDown') replica.stepDown('asked by a page')
          else if (signal.kind === 'sessionEnded') {
            const session = sessionFromHex(signal.session)
            if (session !== null) this.#farewells.add(session)
          }
        },
        stranger: (other) =>
          notice(`EnsembleMismatch: another ensemble of this name is here: ${other}; this is ${ensemble}`),
        notice: (code, message) => notice(`${code}: ${message}`),
      },
    )
    let warned = false
    this.#lobby = rendezvous.lobby(self, () => {
      if (!warned) notice(`WrongSecret: others opened "${rendezvous.name}" with another secret, or without one`)
      warned = true
    })
  }

  /** Enters the topic: from here on others know of this replica. */
  async join(): Promise<void> {
    await Promise.all([this.#mesh.join(), this.#lobby.enter()])
    await this.#options.rendezvous.assert(this.#options.recovered.ensemble)
    this.#timers.push(
      setInterval(() => this.#mesh.ticked(), TICK_MS),
      setInterval(() => this.#farewells.repeat(), FAREWELLS_MS),
    )
  }

  changed(state: Parameters<ReplicaListener['changed']>[0]): void {
    this.#farewells.serving(state.serving)
    this.#mesh.stands(standingOf(this.#options.recovered.replica, state))
  }

  /** Says goodbye and closes every connection. Idempotent. */
  leave(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer)
    this.#mesh.close()
    this.#lobby.leave()
    this.#options.rendezvous.end()
  }

  #gone(peer: ReplicaId, reason: string): void {
    this.#replica.peerGone(peer, reason)
  }

  #on(event: WorkerEvent): void {
    if (event.kind === 'linkOpened') this.#mesh.linkOpened(event.peer, event.attempt)
    else if (event.kind === 'linkClosed') this.#mesh.linkClosed(event.peer, event.attempt, event.refused)
    else if (event.kind === 'notice') this.#options.notice(`${event.code}: ${event.message}`)
  }
}
