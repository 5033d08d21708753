import { spawnSync } from 'node:child_process'
import { findChromium } from '../browser/chromium.ts'

/** What may be asked of this machine, and which Debian package brings it. */
const TOOLS = {
  ip: ['iproute2', '-V'],
  nft: ['nftables', '--version'],
  turnserver: ['coturn', '--version'],
  'firefox-esr': ['firefox-esr', '--version'],
} as const

export type Tool = keyof typeof TOOLS

/** A sentence for each thing that is not here. Nothing is installed by this. */
export async function missing(tools: ReadonlySet<Tool>): Promise<string[]> {
  const lacks: string[] = []
  if (process.platform !== 'linux') return ['Network namespaces are a thing of Linux.']
  if (process.getuid?.() !== 0) lacks.push('Only root may make network namespaces: run it as root.')
  for (const tool of tools) {
    const [pack, version] = TOOLS[tool]
    if (spawnSync(tool, [version], { stdio: 'ignore', timeout: 30_000 }).error !== undefined)
      lacks.push(`${tool} is missing (Debian: apt-get install ${pack}).`)
  }
  await findChromium().catch((error: Error) => lacks.push(error.message))
  return lacks
}
