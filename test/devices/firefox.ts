import { execFileSync, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { callOf, type Device, PAGE } from './device.ts'
import type { Done, Order } from './firefox-driver.ts'
import type { Network } from './network.ts'

/** Firefox can be driven over a socket only, so its driver runs on the device too. One tab. */
export async function startFirefox(network: Network, device: string, origin: string): Promise<Device> {
  const script = fileURLToPath(new URL('./firefox-driver.ts', import.meta.url))
  const path = execFileSync('sh', ['-c', 'command -v firefox-esr'], { encoding: 'utf8' }).trim()
  const [command, args] = network.on(device, process.execPath, '--import', 'tsx', script, path, `${origin}/${PAGE}`)
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const waiting = new Map<number, (done: Done) => void>()
  child.on('message', (done: Done) => waiting.get(done.id)?.(done))
  const ended = new Promise<void>((resolve) =>
    child.once('exit', () => {
      for (const [id, done] of waiting) done({ id, error: 'Firefox has ended' })
      resolve()
    }),
  )
  const answer = (id: number) => new Promise<Done>((resolve) => waiting.set(id, resolve))
  let last = 0
  const ask = async (call: string | null): Promise<unknown> => {
    const order: Order = { id: ++last, call }
    const done = answer(order.id)
    child.send(order)
    const { value, error } = await done
    waiting.delete(order.id)
    if (error !== undefined) throw new Error(`${device}: ${error}`)
    return value
  }
  const { error } = await answer(0)
  if (error !== undefined) throw new Error(error)
  const close = async (): Promise<void> => {
    if (child.connected) child.disconnect()
    await ended
  }
  return {
    async open() {
      await ask(null)
      return { device, evaluate: (run, ...args) => ask(callOf(run, args)) as never, close }
    },
    kill: () => void child.kill('SIGKILL'),
    close,
  }
}
