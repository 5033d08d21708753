import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Report } from '../report.ts'
import { PYTHON } from './requirements.ts'
import { folder, freePort, HOST, startGateway } from './servers.ts'

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), 'kazoo_recipes.py')
const PATIENCE_MS = 120_000

/** kazoo's recipes, each with two or more clients, on the gateway. The script prints a line for each. */
export async function kazoo(report: Report): Promise<void> {
  const gateway = await startGateway(folder(), await freePort())
  try {
    const { lines, code } = await run([SCRIPT, `${HOST}:${gateway.port}`])
    for (const line of lines) {
      const [verdict, ...what] = line.split(' ')
      await report.check(`kazoo on the gateway: ${what.join(' ').split(':')[0]}`, async () => {
        if (verdict !== 'ok') throw new Error(line.replaceAll('\\n', '\n'))
      })
    }
    await report.check('kazoo on the gateway: ran to its end', async () => {
      if (code !== 0) throw new Error(`it ended with ${code}`)
    })
  } finally {
    await gateway.kill()
  }
}

function run(args: readonly string[]): Promise<{ readonly lines: string[]; readonly code: number | null }> {
  return new Promise((resolve) => {
    const python = spawn(PYTHON, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const late = setTimeout(() => python.kill('SIGKILL'), PATIENCE_MS)
    let text = ''
    python.stdout.on('data', (chunk) => {
      text += chunk
    })
    python.once('close', (code) => {
      clearTimeout(late)
      resolve({ lines: text.split('\n').filter((line) => line !== ''), code })
    })
  })
}
