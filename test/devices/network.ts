import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const PREFIX = 'tabkeeper'
const SWITCH = 'switch'

/**
 * Devices on one wire: a network namespace for each, joined by a bridge in a namespace of its own, so that nothing of it is seen
 * outside. Each has a default route, without which a browser gathers no candidates.
 */
export class Network {
  readonly #devices: readonly string[]
  /** By device: whom it does not hear. */
  readonly #deaf = new Map<string, Set<string>>()

  constructor(devices: readonly string[]) {
    this.#devices = devices
    removeLeftovers()
    try {
      this.#add(SWITCH)
      inside(this.space(SWITCH), 'ip', 'link', 'add', 'br0', 'type', 'bridge')
      inside(this.space(SWITCH), 'ip', 'link', 'set', 'br0', 'up')
      for (const device of devices) this.#attach(device)
    } catch (error) {
      this.remove()
      throw error
    }
  }

  /** The namespace's name. */
  space(device: string): string {
    return `${PREFIX}-${process.pid}-${device}`
  }

  address(device: string): string {
    return `10.77.0.${this.#devices.indexOf(device) + 1}`
  }

  /** What `command` must be so that it runs on a device. */
  on(device: string, ...command: readonly string[]): readonly [string, readonly string[]] {
    return ['ip', ['netns', 'exec', this.space(device), ...command]]
  }

  /** From now on `to` gets no packet of `from`. */
  cutOneWay(from: string, to: string): void {
    const deaf = this.#deaf.get(to) ?? new Set()
    this.#deaf.set(to, deaf.add(from))
    this.#apply(to)
  }

  cut(a: string, b: string): void {
    this.cutOneWay(a, b)
    this.cutOneWay(b, a)
  }

  /** Everybody hears everybody. */
  heal(): void {
    const deaf = [...this.#deaf.keys()]
    this.#deaf.clear()
    for (const device of deaf) this.#apply(device)
  }

  /** Ends what still runs on the devices, and removes them. Synchronous, so that it works while the process ends. */
  remove(): void {
    for (const device of [...this.#devices, SWITCH]) removeSpace(this.space(device))
  }

  #add(device: string): void {
    execFileSync('ip', ['netns', 'add', this.space(device)])
    inside(this.space(device), 'ip', 'link', 'set', 'lo', 'up')
  }

  #attach(device: string): void {
    this.#add(device)
    const [here, port] = [this.space(device), `p-${device}`]
    inside(this.space(SWITCH), 'ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'e0', 'netns', here)
    inside(this.space(SWITCH), 'ip', 'link', 'set', port, 'master', 'br0', 'up')
    // No IPv6: a cut names the addresses that there are.
    inside(here, 'ip', 'link', 'set', 'e0', 'addrgenmode', 'none')
    inside(here, 'ip', 'addr', 'add', `${this.address(device)}/24`, 'dev', 'e0')
    inside(here, 'ip', 'link', 'set', 'e0', 'up')
    inside(here, 'ip', 'route', 'add', 'default', 'via', '10.77.0.254')
  }

  #apply(device: string): void {
    const rules = [...(this.#deaf.get(device) ?? [])].map((from) => `ip saddr ${this.address(from)} drop;`)
    const chain = `chain hears { type filter hook input priority 0; ${rules.join(' ')}\n}`
    const table = rules.length === 0 ? '' : `table inet cuts {\n${chain}\n}\n`
    const [command, args] = this.on(device, 'nft', '-f', '-')
    execFileSync(command, args, { input: `add table inet cuts\ndelete table inet cuts\n${table}` })
  }
}

const inside = (space: string, ...command: readonly string[]): void =>
  void execFileSync('ip', ['netns', 'exec', space, ...command])

function removeSpace(space: string): void {
  const { stdout } = spawnSync('ip', ['netns', 'pids', space], { encoding: 'utf8' })
  for (const pid of stdout.split('\n').map(Number).filter(Boolean)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has just ended by itself.
    }
  }
  spawnSync('ip', ['netns', 'del', space], { stdio: 'ignore' })
}

/** Of runs that were killed themselves. */
function removeLeftovers(): void {
  const spaces = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).split('\n')
  for (const line of spaces) {
    const [space = ''] = line.split(' ')
    const [, pid] = new RegExp(`^${PREFIX}-(\\d+)-`).exec(space) ?? []
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeSpace(space)
  }
}
