import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { digestId } from '../../src/tree/acl.ts'
import { JAR } from './requirements.ts'

const top = join(dirname(fileURLToPath(import.meta.url)), '../..')
const CLI = join(top, 'dist/src/node/cli.js')
export const HOST = '127.0.0.1'
const SUPER = digestId('super:secret')
const PATIENCE_MS = 30_000

/** A process that listens. */
export interface Running {
  readonly port: number
  readonly process: ChildProcess
  /** At once, without a farewell. */
  kill(): Promise<void>
  /** SIGTERM; the exit code. */
  stop(): Promise<number | null>
}

export interface Terms {
  readonly enforceQuota?: boolean
}

const folders: string[] = []
/** A new empty directory, gone at the end. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'tabkeeper-zookeeper-'))
  folders.push(made)
  return made
}
export const removeFolders = (): void => {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true, maxRetries: 5 })
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** The built program, as a user runs it. */
export async function startGateway(data: string, port: number, terms: Terms = {}): Promise<Running> {
  const quota = terms.enforceQuota === true ? ['--enforce-quota'] : []
  const args = ['gateway', '--listen', `${HOST}:${port}`, '--data', data, '--super', SUPER, ...quota]
  return running(spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'ignore', 'inherit'] }), port)
}

export async function startProxy(zookeeper: number): Promise<Running> {
  const port = await freePort()
  const args = ['proxy', '--listen', `${HOST}:${port}`, '--zookeeper', `${HOST}:${zookeeper}`]
  return running(spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'ignore', 'inherit'] }), port)
}

/** One Apache ZooKeeper server, which is an ensemble of one too. */
export async function startApache(terms: Terms = {}): Promise<Running> {
  const home = folder()
  const port = await freePort()
  mkdirSync(join(home, 'data'))
  const settings = {
    tickTime: 2000,
    dataDir: join(home, 'data'),
    clientPortAddress: HOST,
    clientPort: port,
    maxClientCnxns: 0,
    'admin.enableServer': false,
    '4lw.commands.whitelist': '*',
    extendedTypesEnabled: true,
    enforceQuota: terms.enforceQuota ?? false,
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
  writeFileSync(join(home, 'zoo.cfg'), `${lines.join('\n')}\n`)
  const properties = {
    'zookeeper.DigestAuthenticationProvider.superDigest': SUPER,
    'zookeeper.extendedTypesEnabled': true,
    'zookeeper.enforceQuota': terms.enforceQuota ?? false,
    // The reaper would come at another time than ours.
    'znode.container.checkIntervalMs': 3_600_000,
  }
  const defines = Object.entries(properties).map(([name, value]) => `-D${name}=${value}`)
  const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain'
  const java = ['-Xmx256m', '-XX:TieredStopAtLevel=1', ...defines, '-cp', JAR, main, join(home, 'zoo.cfg')]
  return running(spawn('java', java, { cwd: home, stdio: 'ignore' }), port)
}

async function running(child: ChildProcess, port: number): Promise<Running> {
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const end = (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal)
    return exit
  }
  const quit = (): void => void child.kill('SIGKILL')
  process.once('exit', quit)
  void exit.then(() => process.off('exit', quit))
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline && child.exitCode === null; ) {
    if (await answers(port))
      return { port, process: child, stop: () => end('SIGTERM'), kill: async () => void (await end('SIGKILL')) }
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
  await end('SIGKILL')
  throw new Error(`${child.spawnargs.slice(0, 3).join(' ')} … did not begin to serve`)
}

/** `isro` says `rw` once a server serves; a proxy speaks HTTP and answers whatever it is asked. */
function answers(port: number): Promise<boolean> {
  return ask(port, 'isro').then(
    (text) => text === 'rw' || text.startsWith('HTTP/1.1'),
    () => false,
  )
}

/** A four-letter word; the server answers and closes. */
export function ask(port: number, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, HOST, () => socket.end(word))
    socket.setTimeout(2000, () => socket.destroy(new Error('no answer')))
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
  })
}
