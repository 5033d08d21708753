import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { KeeperError } from '../base/errors.ts'
import { Client } from '../client/client.ts'
import { type Address, formatAddress } from './address.ts'
import { nodeClock } from './node-platform.ts'
import { COMMANDS, runWords, type ShellContext } from './shell-commands.ts'
import { wordsOf } from './shell-words.ts'
import { connectTcp } from './tcp-pipe.ts'

export interface ShellOptions {
  readonly server: Address
  /** Of the session, milliseconds; default 30 000. */
  readonly timeout?: number
  /** Run this one and end. Empty: read commands from `input`. */
  readonly command: readonly string[]
  readonly input: Readable & { readonly isTTY?: boolean }
  readonly output: Writable
}

const OWN = ['help', 'close', 'quit', 'history']
const DIAL_MS = 5000
/** How long the first session may take. */
const PATIENCE_MS = 15_000

/** Resolves with the exit code: 1 if a command failed that was not typed by hand. */
export async function runShell(options: ShellOptions): Promise<number> {
  const { server, output } = options
  const client = Client.connect(() => connectTcp(server.host, server.port, { timeout: DIAL_MS }), {
    clock: nodeClock,
    random: Math.random,
    sessionTimeout: options.timeout ?? 30_000,
  })
  try {
    await client.connected({ signal: AbortSignal.timeout(PATIENCE_MS) })
  } catch (cause) {
    await client.close()
    throw new KeeperError('ConnectionLoss', `no session at ${formatAddress(server)}`, { cause })
  }
  try {
    if (options.command.length > 0) {
      const print = (line: string): void => void output.write(`${line}\n`)
      await runWords({ client, print, interactive: false }, options.command)
      return 0
    }
    return await new Shell(client, options).run()
  } finally {
    await client.close()
  }
}

/** Lines in, answers out; what watches say comes in between and leaves the line being typed alone. */
class Shell {
  readonly #options: ShellOptions
  readonly #lines: Interface
  readonly #context: ShellContext
  readonly #byHand: boolean
  #failed = false
  #history: string[] = []

  constructor(client: Client, options: ShellOptions) {
    this.#options = options
    this.#byHand = options.input.isTTY === true
    this.#lines = createInterface({
      input: options.input,
      output: options.output,
      terminal: this.#byHand,
      prompt: this.#byHand ? `${formatAddress(options.server)}> ` : '',
      historySize: 1000,
      removeHistoryDuplicates: true,
      completer: (line: string, done: (error: null, found: [string[], string]) => void) => {
        this.#complete(line).then(
          (found) => done(null, found),
          () => done(null, [[], line]),
        )
      },
    })
    this.#context = { client, print: (line) => this.#print(line), interactive: true }
    client.onState(({ state, reason }) => {
      if (state === 'suspended' || state === 'lost') this.#print(`WATCHER the session is ${state}: ${reason}`)
      if (state === 'connected') this.#print('WATCHER connected')
      if (state === 'lost') this.#lines.close()
    })
  }

  /** Until the end of input, `quit`, or the session's end. */
  async run(): Promise<number> {
    this.#lines.prompt()
    for await (const line of this.#lines) {
      const words = this.#wordsOf(line)
      if (words.length > 0) this.#history.push(line)
      if (words[0] === 'quit' || words[0] === 'close') break
      if (words.length > 0) await this.#do(words)
      this.#lines.prompt()
    }
    this.#lines.close()
    return this.#failed && !this.#byHand ? 1 : 0
  }

  async #do(words: readonly string[]): Promise<void> {
    try {
      if (words[0] === 'help') for (const { usage } of Object.values(COMMANDS)) this.#print(`  ${usage}`)
      if (words[0] === 'help') this.#print('  history\n  close, quit')
      else if (words[0] === 'history') this.#history.forEach((line, i) => void this.#print(`${i} - ${line}`))
      else await runWords(this.#context, words)
    } catch (error) {
      this.#fail(error)
    }
  }

  #wordsOf(line: string): string[] {
    try {
      return wordsOf(line)
    } catch (error) {
      this.#fail(error)
      return []
    }
  }

  #fail(error: unknown): void {
    if (!(error instanceof KeeperError)) throw error
    this.#failed = true
    this.#print(error.message)
  }

  #print(line: string): void {
    const { output } = this.#options
    if (!this.#byHand) {
      output.write(`${line}\n`)
      return
    }
    output.write(`\r\u001b[K${line}\n`)
    this.#lines.prompt(true)
  }

  /** Commands for the first word, znodes for one that starts with a slash. */
  async #complete(line: string): Promise<[string[], string]> {
    const last = /\S*$/.exec(line)?.[0] ?? ''
    if (last === line) return [[...Object.keys(COMMANDS), ...OWN].filter((name) => name.startsWith(last)), last]
    if (!last.startsWith('/')) return [[], last]
    const cut = last.lastIndexOf('/')
    const { children } = await this.#context.client.getChildren(last.slice(0, cut) || '/')
    const paths = children.map((name) => `${last.slice(0, cut)}/${name}`)
    return [paths.filter((path) => path.startsWith(last)), last]
  }
}
