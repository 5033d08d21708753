import { WebSocket } from 'ws'
import { KeeperError } from '../base/errors.ts'
import type { EnsembleId } from '../base/ids.ts'
import { Member, type MemberOptions } from '../member/member.ts'
import { Rendezvous } from '../member/rendezvous.ts'
import type { ReplicaHost } from '../replica/api.ts'
import type { EnsembleOptions } from './gateway.ts'

/** Loaded only where it is used, and by a name that no bundler follows: it is a large native package. */
const WEBRTC = '@roamhq/wrtc'

async function loadWebRtc(): Promise<object> {
  try {
    const loaded: { readonly default?: object } = await import(WEBRTC)
    return loaded.default ?? loaded
  } catch (error) {
    throw new KeeperError('Unsupported', `WebRTC is missing: npm install ${WEBRTC}`, { cause: error })
  }
}

/** How a gateway meets the pages of its ensemble. */
export class Meeting {
  readonly #options: EnsembleOptions
  readonly #rendezvous: Rendezvous
  readonly #wrtc: object
  readonly #notice: (message: string) => void

  static async open(options: EnsembleOptions, notice: (message: string) => void): Promise<Meeting> {
    const { name, secret, signal } = options
    if (name === '') throw new KeeperError('BadArguments', 'the ensemble has no name', { path: 'name' })
    if (secret === '') throw new KeeperError('BadArguments', 'the secret is empty', { path: 'secret' })
    if (signal.length === 0 || !signal.every((url) => /^wss?:\/\//.test(url)))
      throw new KeeperError('BadArguments', 'signal must be ws: or wss: addresses', { path: 'signal' })
    const wrtc = await loadWebRtc()
    const connect = (url: string): WebSocket => new WebSocket(url)
    return new Meeting(options, await Rendezvous.open({ name, secret, servers: signal, connect, notice }), wrtc, notice)
  }

  private constructor(
    options: EnsembleOptions,
    rendezvous: Rendezvous,
    wrtc: object,
    notice: (message: string) => void,
  ) {
    this.#options = options
    this.#rendezvous = rendezvous
    this.#wrtc = wrtc
    this.#notice = notice
  }

  /** The ensemble to join; null: found one. */
  async seek(): Promise<EnsembleId | null> {
    if (this.#options.create === 'always') return null
    return this.#rendezvous.seek(this.#options.abort ?? new AbortController().signal)
  }

  member(replica: ReplicaHost, about: Pick<MemberOptions, 'recovered' | 'browser'>): Member {
    const options = {
      ...about,
      rendezvous: this.#rendezvous,
      wrtc: this.#wrtc,
      iceServers: this.#options.iceServers ?? [],
      notice: this.#notice,
    }
    return new Member(options, replica)
  }

  end(): void {
    this.#rendezvous.end()
  }
}
