#!/usr/bin/env node
import { KeeperError } from '../base/errors.ts'
import { runCommand } from './commands.ts'

try {
  process.exitCode = await runCommand(process.argv.slice(2))
} catch (error) {
  const known = error instanceof KeeperError || (error instanceof Error && 'code' in error)
  process.stderr.write(
    `tabkeeper: ${known ? (error as Error).message : error instanceof Error ? error.stack : error}\n`,
  )
  process.exitCode = error instanceof KeeperError && error.code === 'BadArguments' ? 2 : 1
}
