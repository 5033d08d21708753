import type { KeeperOpenOptions } from '../../src/index.ts'
import type { Report } from '../report.ts'
import { type Device, startChromium } from './device.ts'
import type { Network } from './network.ts'

/** What every part stands on. */
export interface Ground {
  readonly network: Network
  /** Where the pages are. */
  readonly origin: string
  readonly report: Report
  /** The long form: all cuts for all times. */
  readonly long: boolean
}

export const SECRET = 'correct horse battery staple'
export const DEVICES = ['d1', 'd2', 'd3', 'd4', 's1', 's2'] as const

/** Sessions outlive every cut, so that what is written into one is answered after it. */
export const optionsOf = (ensemble: string, ...signaling: readonly string[]): KeeperOpenOptions => ({
  ensemble,
  signaling,
  secret: SECRET,
  sessionTimeout: 60_000,
})

/** Runs with a Chromium on each of these devices, and closes them whatever happens. */
export async function withChromiums(
  { network, origin }: Ground,
  names: readonly string[],
  run: (devices: Device[]) => Promise<void>,
): Promise<void> {
  const devices: Device[] = []
  try {
    for (const name of names) devices.push(await startChromium(network, name, origin))
    await run(devices)
  } finally {
    await Promise.all(devices.map((device) => device.close()))
  }
}
