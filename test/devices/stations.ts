import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Network } from './network.ts'

const PAGES_PORT = 8080
const SIGNAL_PORT = 8787

/** A server's process on a device. */
export class Station {
  readonly #process: ChildProcess
  readonly #ended: Promise<unknown>
  #granted = 0

  static async start(network: Network, device: string, args: readonly string[]): Promise<Station> {
    const script = fileURLToPath(new URL('./station.ts', import.meta.url))
    const [command, words] = network.on(device, process.execPath, '--import', 'tsx', script, ...args)
    const child = spawn(command, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const station = new Station(child)
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve())
      child.once('exit', () => reject(new Error(`The server ${args[0]} ended at once.`)))
    })
    return station
  }

  private constructor(child: ChildProcess) {
    this.#process = child
    this.#ended = new Promise((resolve) => child.once('exit', resolve))
    child.on('message', ({ granted }: { readonly granted: number }) => {
      this.#granted = granted
    })
  }

  /** How often it let somebody found an ensemble. */
  get granted(): number {
    return this.#granted
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#ended
  }
}

export const servePages = async (network: Network, device: string, directory: string): Promise<string> => {
  const host = network.address(device)
  await Station.start(network, device, ['pages', directory, host, String(PAGES_PORT)])
  return `http://${host}:${PAGES_PORT}`
}

export const signalUrl = (network: Network, device: string): string => `ws://${network.address(device)}:${SIGNAL_PORT}/`

const signals = new Set<Station>()

/** `youth`, `lease`: milliseconds, as in the server's options. */
export async function serveSignal(network: Network, device: string, youth = 0, lease = 10_000): Promise<Station> {
  const args = ['signal', network.address(device), String(SIGNAL_PORT), String(youth), String(lease)]
  const station = await Station.start(network, device, args)
  signals.add(station)
  return station
}

/** Those that still run: whoever failed has left them behind. */
export async function killSignals(): Promise<void> {
  for (const station of signals) await station.kill()
  signals.clear()
}
