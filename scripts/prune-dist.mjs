// Removes from dist/ what a deleted or renamed source left behind: `tsc -b` never does.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = join(top, 'dist')
const entries = existsSync(dist) ? readdirSync(dist, { recursive: true, withFileTypes: true }) : []
for (const entry of entries) {
  const path = join(entry.parentPath, entry.name)
  const source = /^(.*?)\.(?:js|d\.ts)(?:\.map)?$/.exec(relative(dist, path))?.[1]
  if (entry.isFile() && source && !existsSync(join(top, `${source}.ts`))) rmSync(path)
}
