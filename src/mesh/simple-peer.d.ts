/** What `rtc-pair.ts` uses of simple-peer's browser build; the published types describe the Node entry and want Node's own. */
declare module 'simple-peer/simplepeer.min.js' {
  interface SimplePeerOptions {
    readonly initiator: boolean
    readonly trickle: boolean
    readonly config: RTCConfiguration
    /** Where the platform has no classes of its own. */
    readonly wrtc?: object
  }
  export default class SimplePeer {
    constructor(options: SimplePeerOptions)
    /** Undefined where the browser refused to make one: `error` and `close` follow. */
    readonly _pc: RTCPeerConnection | undefined
    readonly destroyed: boolean
    signal(data: object): void
    destroy(error?: Error): void
    on(event: 'signal', listener: (data: unknown) => void): void
    on(event: 'error', listener: (error: Error) => void): void
    on(event: 'close', listener: () => void): void
  }
}
