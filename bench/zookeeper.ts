import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Client } from '../src/client/client.ts'
import { connectTcp } from '../src/node/tcp-pipe.ts'

const JAR = '/usr/share/java/zookeeper.jar'
const HOST = '127.0.0.1'

export type Role = 'leader' | 'follower'

/** Three Apache ZooKeeper servers on this machine, with a leader. */
export interface ZooKeeperEnsemble {
  /** As the jar is called: `zookeeper-3.8.0`. */
  readonly version: string
  /** Resolves when the session is there. The caller closes the client. */
  connect(role: Role): Promise<Client>
  stop(): Promise<void>
}

/** Starts the servers on free loopback ports; null, after a sentence that says why, where ZooKeeper or Java is missing. */
export async function startZooKeeper(): Promise<ZooKeeperEnsemble | null> {
  if (!existsSync(JAR) || !hasJava()) {
    console.log(
      'Apache ZooKeeper is not installed here (Debian: apt-get install zookeeper), so nothing is compared with it.',
    )
    return null
  }
  const directory = mkdtempSync(join(tmpdir(), 'tabkeeper-zookeeper-'))
  const ports = await freePorts(9)
  const clientPorts = ports.slice(0, 3)
  const quorum = [3, 5, 7].map((at, index) => `server.${index + 1}=${HOST}:${ports[at]}:${ports[at + 1]}`).join('\n')
  const processes = clientPorts.map((port, index) =>
    startServer(join(directory, String(index + 1)), index + 1, port, quorum),
  )
  const stop = async () => {
    await Promise.all(processes.map(end))
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    const roles = await waitForLeader(clientPorts)
    return {
      version: basename(realpathSync(JAR), '.jar'),
      connect: (role) => connectClient(clientPorts[roles.indexOf(role)] ?? 0),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** ZooKeeper's own defaults, forced to disk as in production. */
function startServer(home: string, id: number, port: number, quorum: string): ChildProcess {
  mkdirSync(join(home, 'data'), { recursive: true })
  writeFileSync(join(home, 'data/myid'), String(id))
  const settings = [
    'tickTime=2000',
    'initLimit=10',
    'syncLimit=5',
    `dataDir=${join(home, 'data')}`,
    `clientPortAddress=${HOST}`,
    `clientPort=${port}`,
    'admin.enableServer=false',
    '4lw.commands.whitelist=srvr',
    quorum,
  ]
  writeFileSync(join(home, 'zoo.cfg'), `${settings.join('\n')}\n`)
  const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain'
  return spawn('java', ['-Xmx512m', '-cp', JAR, main, join(home, 'zoo.cfg')], { cwd: home, stdio: 'ignore' })
}

function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return Promise.resolve()
  return new Promise((resolve) => {
    server.once('exit', () => resolve())
    server.kill('SIGKILL')
  })
}

async function waitForLeader(ports: readonly number[]): Promise<Role[]> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    const modes = await Promise.all(ports.map((port) => ask(port, 'srvr').catch(() => '')))
    const roles = modes.map((text) => /^Mode: (leader|follower)$/m.exec(text)?.[1])
    if (roles.every((role) => role !== undefined) && roles.includes('leader')) return roles as Role[]
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error('The ZooKeeper servers elected no leader within 60 seconds.')
}

/** A four-letter word; the server answers and closes. */
function ask(port: number, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, HOST, () => socket.write(word))
    socket.setTimeout(2_000, () => socket.destroy(new Error('no answer')))
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
  })
}

async function connectClient(port: number): Promise<Client> {
  const client = Client.connect(() => connectTcp(HOST, port), {
    clock: {
      now: () => performance.now(),
      after(ms, then) {
        const timer = setTimeout(then, ms)
        return () => clearTimeout(timer)
      },
    },
    random: Math.random,
    sessionTimeout: 20_000,
  })
  await client.connected()
  return client
}

function hasJava(): boolean {
  try {
    execFileSync('java', ['-version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** All are held until all are known, so that no two are the same. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, HOST, resolve))))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
