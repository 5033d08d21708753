import { toHex, utf8 } from '../base/bytes.ts'
import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import { BroadcastChannelSignaling } from '../signaling/broadcast-channel.ts'
import { Introductions } from '../signaling/introductions.ts'
import { Lobby } from '../signaling/lobby.ts'
import { PlainSignaling } from '../signaling/plain-signaling.ts'
import { deriveRoomKey, lobbyTopic, type RoomKey } from '../signaling/room-key.ts'
import { SealedSignaling } from '../signaling/sealed-signaling.ts'
import { SeveralSignalings } from '../signaling/several.ts'
import { SignalServers } from '../signaling/signal-servers.ts'
import type { MemberSignaling, Signaling } from '../signaling/signaling.ts'
import type { CheckedOptions } from './options.ts'

/** Everything by which one page finds the others, as its options say. */
export interface Wires {
  readonly topic: string
  /** Null: there is no secret. */
  readonly key: RoomKey | null
  /** The servers, where there are some. */
  readonly servers: SignalServers | null
  /** The addresses of the servers, as they were given. */
  readonly urls: readonly string[]
  /** Can members be in other browsers? */
  readonly beyond: boolean
  /** The part of it that runs over links; null where the pages of this browser are all there are. */
  readonly introductions: Introductions | null
  /** For one identity at a time: join it anew for the next. */
  readonly signaling: MemberSignaling
  /** `stranger`: others give this name another secret, or none. */
  lobby(self: ReplicaId, stranger: () => void): Lobby
  /** What a server remembers of an ensemble. It learns nothing of the id. */
  mark(ensemble: EnsembleId): Promise<string>
  end(): void
}

/** `forged`: told of each signal in our topic that nobody made who knows the secret. */
export async function makeWires(
  options: Pick<CheckedOptions, 'ensemble' | 'secret' | 'signaling'>,
  forged: () => void,
): Promise<Wires> {
  const { ensemble: name, signaling } = options
  const { subtle } = crypto
  const key = options.secret ? await deriveRoomKey(options.secret, name, subtle) : null
  const lobby = await lobbyTopic(name, subtle)
  const servers = isList(signaling)
    ? new SignalServers(signaling, {
        connect: (url) => new WebSocket(url),
        after: (ms, then) => {
          const timer = setTimeout(then, ms)
          return () => clearTimeout(timer)
        },
        random: () => Math.random(),
      })
    : null
  const own = signaling !== undefined && !isList(signaling) && !(signaling instanceof BroadcastChannelSignaling)
  const beyond = own || servers !== null
  const introductions = beyond || key !== null ? new Introductions() : null
  const shared = (): Signaling[] => [
    new BroadcastChannelSignaling(),
    ...(servers === null ? [] : [servers.signaling()]),
  ]
  const medium = new SeveralSignalings([
    ...shared(),
    ...(own ? [signaling] : []),
    ...(introductions === null ? [] : [introductions]),
  ])
  const topic = key?.topic ?? name
  return {
    topic,
    key,
    servers,
    urls: isList(signaling) ? signaling : [],
    beyond,
    introductions,
    signaling:
      key === null
        ? new PlainSignaling(medium)
        : new SealedSignaling(
            medium,
            { key: key.signals, subtle, random: (into) => crypto.getRandomValues(into) },
            forged,
          ),
    lobby: (self, stranger) => {
      const parts = {
        signaling: new SeveralSignalings(shared()),
        topic: lobby,
        self,
        tag: key?.tag ?? null,
        now: () => performance.now(),
      }
      return new Lobby(parts, stranger)
    },
    mark: async (ensemble) => {
      const digest = await subtle.digest('SHA-256', utf8(`tabkeeper founded\n${topic}\n${ensemble}`))
      return toHex(new Uint8Array(digest).subarray(0, 16))
    },
    end: () => servers?.end(),
  }
}

const isList = (signaling: CheckedOptions['signaling']): signaling is readonly string[] => Array.isArray(signaling)
