import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '../src/client/client.ts'
import { connectTcp } from '../src/node/tcp-pipe.ts'
import type { Contender } from './contest.ts'
import { freePorts, HOST } from './free-ports.ts'
import { measure, prepare } from './workload.ts'

const JAR = '/usr/share/java/zookeeper.jar'

type Role = 'leader' | 'follower'

/**
 * Three Apache ZooKeeper servers on free loopback ports of this machine, through a follower. Null, after a sentence that says
 * why, where ZooKeeper or Java is missing.
 */
export async function startZooKeeper(): Promise<Contender | null> {
  if (!installed()) return null
  const directory = mkdtempSync(join(tmpdir(), 'tabkeeper-zookeeper-'))
  const ports = await freePorts(9)
  const clientPorts = ports.slice(0, 3)
  const quorum = [3, 5, 7].map((at, index) => `server.${index + 1}=${HOST}:${ports[at]}:${ports[at + 1]}`).join('\n')
  const servers = clientPorts.map((port, index) =>
    startServer(join(directory, String(index + 1)), index + 1, port, quorum),
  )
  let client: Client | null = null
  const stop = async () => {
    await client?.close()
    await Promise.all(servers.map(end))
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    const { roles, version } = await waitForLeader(clientPorts)
    const connected = await connectClient(clientPorts[roles.indexOf('follower')] ?? 0)
    client = connected
    return {
      name: 'ZooKeeper, 3 servers',
      version: `ZooKeeper ${version}`,
      async run(workload) {
        await prepare(connected, workload.size)
        return await measure(connected, workload)
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** One server, in `home`, that the caller removes; null, after a sentence that says why, where ZooKeeper or Java is missing. */
export async function startSingle(home: string): Promise<{
  readonly client: Client
  readonly pid: number
  readonly version: string
  stop(): Promise<void>
} | null> {
  if (!installed()) return null
  const [port = 0] = await freePorts(1)
  const server = startServer(home, 1, port, '', '4g')
  try {
    const [text = ''] = await answersOf([port], /^Mode: standalone$/m)
    const client = await connectClient(port)
    return {
      client,
      pid: server.pid ?? 0,
      version: versionIn(text),
      stop: () => client.close().then(() => end(server)),
    }
  } catch (error) {
    await end(server)
    throw error
  }
}

function installed(): boolean {
  if (existsSync(JAR) && hasJava()) return true
  console.log(
    'Apache ZooKeeper is not installed here (Debian: apt-get install zookeeper), so nothing is compared with it.',
  )
  return false
}

/** ZooKeeper's own defaults, forced to disk as in production. */
function startServer(home: string, id: number, port: number, quorum: string, heap = '512m'): ChildProcess {
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
  return spawn('java', [`-Xmx${heap}`, '-cp', JAR, main, join(home, 'zoo.cfg')], { cwd: home, stdio: 'ignore' })
}

function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return Promise.resolve()
  return new Promise((resolve) => {
    server.once('exit', () => resolve())
    server.kill('SIGKILL')
  })
}

async function waitForLeader(ports: readonly number[]): Promise<{ readonly roles: Role[]; readonly version: string }> {
  const texts = await answersOf(ports, /^Mode: (leader|follower)$/m)
  const roles = texts.map((text) => (/^Mode: leader$/m.test(text) ? 'leader' : 'follower'))
  return { roles, version: versionIn(texts[0] ?? '') }
}

const versionIn = (text: string): string => /^Zookeeper version: ([\d.]+)/m.exec(text)?.[1] ?? 'of unknown version'

/** What all say to \`srvr\`, once all say what is expected. */
async function answersOf(ports: readonly number[], expected: RegExp): Promise<string[]> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    const texts = await Promise.all(ports.map((port) => ask(port, 'srvr').catch(() => '')))
    if (texts.every((text) => expected.test(text))) return texts
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error('The ZooKeeper servers were not ready within 60 seconds.')
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
