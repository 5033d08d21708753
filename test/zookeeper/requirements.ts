import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'

export const JAR = '/usr/share/java/zookeeper.jar'
export const ZK_CLI = '/usr/share/zookeeper/bin/zkCli.sh'
/** Debian's own: its packages are not seen by another one. */
export const PYTHON = '/usr/bin/python3'

/** A sentence for each thing that is not here. Nothing is installed by this. */
export function missing(): string[] {
  const lacks: string[] = []
  if (!runs('java', '-version')) lacks.push('Java is missing (Debian: apt-get install default-jre-headless).')
  if (!existsSync(JAR) || !existsSync(ZK_CLI))
    lacks.push('Apache ZooKeeper is missing (Debian: apt-get install zookeeper).')
  if (!runs(PYTHON, '-c', 'import kazoo')) lacks.push('kazoo is missing (Debian: apt-get install python3-kazoo).')
  return lacks
}

function runs(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
