import { toHex, utf8 } from '../base/bytes.ts'
import { KeeperError } from '../base/errors.ts'
import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import { TIMES } from '../base/limits.ts'
import { Introductions } from '../signaling/introductions.ts'
import { Lobby } from '../signaling/lobby.ts'
import { deriveRoomKey, lobbyTopic, type RoomKey } from '../signaling/room-key.ts'
import { scout } from '../signaling/scout.ts'
import { SealedSignaling } from '../signaling/sealed-signaling.ts'
import type { LineParts } from '../signaling/server-line.ts'
import { SeveralSignalings } from '../signaling/several.ts'
import { SignalServers } from '../signaling/signal-servers.ts'
import type { MemberSignaling } from '../signaling/signaling.ts'

export interface RendezvousOptions {
  /** The ensemble's name. */
  readonly name: string
  readonly secret: string
  /** `ws:` or `wss:` addresses of signaling servers, one at least. */
  readonly servers: readonly string[]
  readonly connect: LineParts['connect']
  /** Told of trouble. */
  readonly notice: (message: string) => void
}

/** Where a replica outside of a browser finds the others: signaling servers, and the secret that they share. */
export class Rendezvous {
  readonly name: string
  readonly key: RoomKey
  /** The part of `signaling` that runs over links. */
  readonly introductions = new Introductions()
  readonly signaling: MemberSignaling
  readonly #servers: SignalServers
  readonly #lobbyTopic: string
  readonly #notice: (message: string) => void

  static async open(options: RendezvousOptions): Promise<Rendezvous> {
    const { subtle } = crypto
    const key = await deriveRoomKey(options.secret, options.name, subtle)
    return new Rendezvous(options, key, await lobbyTopic(options.name, subtle))
  }

  private constructor({ name, servers, connect, notice }: RendezvousOptions, key: RoomKey, lobby: string) {
    this.name = name
    this.key = key
    this.#lobbyTopic = lobby
    this.#notice = notice
    this.#servers = new SignalServers(servers, {
      connect,
      after: (ms, then) => {
        const timer = setTimeout(then, ms)
        return () => clearTimeout(timer)
      },
      random: () => Math.random(),
    })
    const parts = {
      key: key.signals,
      subtle: crypto.subtle,
      random: (into: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(into),
    }
    let warned = false
    const media = new SeveralSignalings([this.#servers.signaling(), this.introductions])
    this.signaling = new SealedSignaling(media, parts, () => {
      if (!warned) notice(`BadPeer: somebody without the secret writes to the members of "${name}"`)
      warned = true
    })
  }

  get topic(): string {
    return this.key.topic
  }

  lobby(self: ReplicaId, stranger: () => void): Lobby {
    const now = (): number => performance.now()
    return new Lobby(
      { signaling: this.#servers.signaling(), topic: this.#lobbyTopic, self, tag: this.key.tag, now },
      stranger,
    )
  }

  /** Asks for the ensemble of this name until a member answers. Rejects with WrongSecret when only others' secrets are heard, Aborted by `signal`. */
  async seek(signal: AbortSignal): Promise<EnsembleId> {
    for (let told = false; ; ) {
      const sighting = await scout(this, TIMES.foundWait, signal).catch((error: unknown) => {
        throw signal.aborted ? new KeeperError('Aborted', 'Aborted: by its signal', { cause: signal.reason }) : error
      })
      if (sighting.kind === 'ensemble') return sighting.ensemble
      if (sighting.kind === 'strangers')
        throw new KeeperError('WrongSecret', `Members of "${this.name}" are here, with another secret.`)
      if (!told) this.#notice(`FounderNeeded: nobody of "${this.name}" answers yet; waiting`)
      told = true
    }
  }

  /** The servers will tell who asks to found that this ensemble exists. They learn nothing of its id. */
  async assert(ensemble: EnsembleId): Promise<void> {
    const digest = await crypto.subtle.digest('SHA-256', utf8(`tabkeeper founded\n${this.topic}\n${ensemble}`))
    this.#servers.assert(this.topic, toHex(new Uint8Array(digest).subarray(0, 16)))
  }

  end(): void {
    this.#servers.end()
  }
}
