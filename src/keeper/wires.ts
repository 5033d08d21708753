import { toHex, utf8 } from '../base/bytes.ts'
import type { EnsembleId, ReplicaId } from '../base/ids.ts'
import { BroadcastChannelSignaling } from '../signaling/broadcast-channel.ts'
import { Introductions } from '../signaling/introductions.ts'
import { Lobby } from '../signaling/lobby.ts'
import { PlainSignaling } from '../signaling/plain-signaling.ts'
import { deriveClientRoom, deriveRoomKey, lobbyTopic, type RoomKey } from '../signaling/room-key.ts'
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
  /** Where members meet clients; for one identity at a time. */
  readonly clients: { readonly topic: string; readonly signaling: MemberSignaling }
  /** `stranger`: others give this name another secret, or none. */
  lobby(self: ReplicaId, stranger: () => void): Lobby
  /** What a server remembers of an ensemble. It learns nothing of the id. */
  mark(ensemble: EnsembleId): Promise<string>
  end(): void
}

/** The same for a page that is only a client. */
export type ClientWires = Pick<Wires, 'clients' | 'end'>

/** `forged`: told of each signal in our topic that nobody made who knows the secret. */
export async function makeWires(
  options: Pick<CheckedOptions, 'ensemble' | 'secret' | 'signaling'>,
  forged: () => void,
): Promise<Wires> {
  const { ensemble: name, signaling } = options
  const { subtle } = crypto
  const key = options.secret ? await deriveRoomKey(options.secret, name, subtle) : null
  const lobby = await lobbyTopic(name, subtle)
  const servers = connectServers(signaling)
  const own = signaling !== undefined && !isList(signaling) && !(signaling instanceof BroadcastChannelSignaling)
  const beyond = own || servers !== null
  const introductions = beyond || key !== null ? new Introductions() : null
  const shared = () => sharedBy(servers)
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
    signaling: sealedBy(key, medium, forged),
    clients: await clientsRoom(key?.client ?? null, name, servers),
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

/** `key`: the clients' one; it is derived where the options hold the secret. */
export async function makeClientWires(
  options: Pick<CheckedOptions, 'ensemble' | 'secret' | 'signaling' | 'clientKey'>,
): Promise<ClientWires> {
  const { ensemble, secret, signaling, clientKey } = options
  const key = clientKey ?? (secret ? (await deriveRoomKey(secret, ensemble, crypto.subtle)).client : null)
  const servers = connectServers(signaling)
  return { clients: await clientsRoom(key, ensemble, servers), end: () => servers?.end() }
}

async function clientsRoom(
  clientKey: Uint8Array | null,
  name: string,
  servers: SignalServers | null,
): Promise<Wires['clients']> {
  const key = clientKey === null ? null : await deriveClientRoom(new Uint8Array(clientKey), name, crypto.subtle)
  const medium = new SeveralSignalings(sharedBy(servers))
  // Who writes garbage here wants nothing that members should know of.
  return { topic: key?.topic ?? `clients of ${name}`, signaling: sealedBy(key, medium, () => undefined) }
}

const sharedBy = (servers: SignalServers | null): Signaling[] => [
  new BroadcastChannelSignaling(),
  ...(servers === null ? [] : [servers.signaling()]),
]

function sealedBy(key: RoomKey | null, medium: Signaling, forged: () => void): MemberSignaling {
  if (key === null) return new PlainSignaling(medium)
  const random = (into: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(into)
  return new SealedSignaling(medium, { key: key.signals, subtle: crypto.subtle, random }, forged)
}

function connectServers(signaling: CheckedOptions['signaling']): SignalServers | null {
  if (!isList(signaling)) return null
  return new SignalServers(signaling, {
    connect: (url) => new WebSocket(url),
    after: (ms, then) => {
      const timer = setTimeout(then, ms)
      return () => clearTimeout(timer)
    },
    random: () => Math.random(),
  })
}

const isList = (signaling: CheckedOptions['signaling']): signaling is readonly string[] => Array.isArray(signaling)
