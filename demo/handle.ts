/** What the page shows of itself to the console, the tests and the script. */
export interface DemoHandle {
  /** A byte a pixel, row by row. */
  image(): Uint8Array
  /** A data URL. */
  png(): string
  state(): {
    readonly name: string | null
    readonly leader: string | null
    readonly voters: number
    readonly members: number
    readonly run: string | null
    readonly complete: boolean
    /** Who completed each tile. */
    readonly makers: readonly (string | null)[]
  }
  start(): Promise<void>
}

declare global {
  var tabkeeperDemo: DemoHandle
}
