import type { ReplicaId } from '../../src/base/ids.ts'
import type { Message } from '../../src/zab/messages.ts'
import type { Blows } from './blows.ts'
import type { Chance } from './chance.ts'
import type { Node } from './node.ts'

/** Where the protocol is at its most delicate: between one message and the next, and around a write. */
const MESSAGES = [
  'followerInfo',
  'leaderInfo',
  'ackEpoch',
  'sync',
  'snapshotChunk',
  'newLeader',
  'ackNewLeader',
  'upToDate',
  'candidate',
  'proposal',
  'ack',
  'commit',
  'inform',
  'syncReply',
  'handOver',
  'notification',
] as const satisfies readonly Message['kind'][]

type Place = { readonly kind: 'send'; readonly message: Message['kind'] } | { readonly kind: 'issue' | 'stored' }

interface Ambush {
  readonly place: Place
  /** Let so many pass. */
  passes: number
  readonly chance: Chance
}

/** Faults that wait for the protocol to come to a place: at the next message of a kind, at a write that is issued or done. */
export class Ambushes {
  readonly #blows: Blows
  readonly #node: (id: ReplicaId) => Node | undefined
  readonly #say: (line: string) => void
  #armed: Ambush[] = []

  constructor(blows: Blows, node: (id: ReplicaId) => Node | undefined, say: (line: string) => void) {
    this.#blows = blows
    this.#node = node
    this.#say = say
  }

  arm(chance: Chance): void {
    const place: Place = chance.is(0.7)
      ? { kind: 'send', message: chance.pick(MESSAGES) }
      : { kind: chance.pick(['issue', 'stored'] as const) }
    this.#armed.push({ place, passes: chance.pick([0, 0, 1, 3, 10]), chance })
  }

  disarm(): void {
    this.#armed = []
  }

  /** Somebody sends. False: it ended before it could. */
  onSend(from: ReplicaId, to: ReplicaId, messages: readonly Message[]): boolean {
    if (this.#armed.length === 0) return true
    const struck = this.#due((place) => place.kind === 'send' && messages.some(({ kind }) => kind === place.message))
    if (struck === null) return true
    const [sender, receiver] = [this.#node(from), this.#node(to)]
    if (sender === undefined || receiver === undefined) return true
    const { chance, place } = struck
    const blow = chance.pick(['crash sender', 'crash sender', 'crash receiver', 'freeze', 'cut', 'reset'] as const)
    this.#say(`ambush at ${place.kind === 'send' ? place.message : ''} ${from}→${to}: ${blow}`)
    if (blow === 'crash sender') {
      const unsent = chance.is(0.5)
      if (unsent) this.#blows.crash(sender, chance)
      else this.#soon(sender, () => this.#blows.crash(sender, chance))
      return !unsent
    }
    if (blow === 'crash receiver') this.#blows.crash(receiver, chance)
    else if (blow === 'freeze') this.#blows.freeze(chance.is(0.5) ? sender : receiver, chance)
    else if (blow === 'reset') this.#blows.reset(sender, receiver, chance)
    else {
      const ways = chance.is(0.5) ? [[from, to] as const] : [[from, to] as const, [to, from] as const]
      this.#blows.cut(ways, 100 + chance.exp(2500), chance)
    }
    return true
  }

  onDisk(node: Node, kind: 'issue' | 'stored'): void {
    if (this.#armed.length === 0) return
    const struck = this.#due((place) => place.kind === kind)
    if (struck === null) return
    const { chance } = struck
    const blow = chance.pick(['crash', 'crash', 'freeze'] as const)
    this.#say(`ambush at ${kind} ${node.id}: ${blow}`)
    if (blow === 'freeze') this.#blows.freeze(node, chance)
    else this.#soon(node, () => this.#blows.crash(node, chance))
  }

  /** When the present turn is over, and nothing else has happened. */
  #soon(node: Node, what: () => void): void {
    const { boot } = node
    queueMicrotask(() => {
      if (node.boot === boot) what()
    })
  }

  #due(is: (place: Place) => boolean): Ambush | null {
    const at = this.#armed.findIndex(({ place }) => is(place))
    const ambush = this.#armed[at]
    if (ambush === undefined || ambush.passes-- > 0) return null
    this.#armed.splice(at, 1)
    return ambush
  }
}
