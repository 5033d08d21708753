import { parseArgs } from 'node:util'
import { BUILD } from '../base/build.ts'
import { KeeperError } from '../base/errors.ts'
import { formatAddress, parseAddress, parseAddresses } from './address.ts'
import { Gateway, type GatewayOptions } from './gateway.ts'
import { WebSocketProxy } from './proxy.ts'
import { runShell } from './shell.ts'
import { SignalServer } from './signal-server.ts'

const USAGE = `usage: tabkeeper <command>

  gateway --listen HOST:PORT --data DIR [--super USER:HASH] [--enforce-quota]
          [--ensemble NAME --secret SECRET --signal URL... [--create always] [--ice URL]... [--voters N]]
      A replica with a log of its own in DIR, for any ZooKeeper client. Alone it is an ensemble of one; with --ensemble it
      joins the pages that have opened that name with that secret (or TABKEEPER_SECRET in the environment).
  proxy --listen HOST:PORT --zookeeper HOST:PORT,... [--origin ORIGIN]... [--token TOKEN]
        [--connections-per-address N] [--frame-bytes N] [--bytes-per-second N]
      Pages reach a ZooKeeper ensemble: WebSocket on one side, ZooKeeper's port on the other.
  signal --listen HOST:PORT [--path PATH] [--origin ORIGIN]... [--token TOKEN]
         [--connections-per-address N] [--messages-per-second N]
      Introduces pages of different browsers to each other, and grants founding.
  shell [--server HOST:PORT] [--timeout MS] [COMMAND [ARGUMENT]...]
      Talks to a gateway or a ZooKeeper server.

  --help, --version
`

type Options = Parameters<typeof parseArgs>[0] extends infer C
  ? C extends { options?: infer O }
    ? NonNullable<O>
    : never
  : never

const refuse = (argument: string, why: string): KeeperError =>
  new KeeperError('BadArguments', `${argument} ${why}`, { path: argument })

/** Runs one command to its end; the exit code. Rejects with BadArguments, naming the argument, and with what went wrong. */
export async function runCommand(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args
  switch (command) {
    case 'gateway':
      return gateway(rest)
    case 'proxy':
      return proxy(rest)
    case 'signal':
      return signal(rest)
    case 'shell':
      return shell(rest)
    case '--version':
    case '-v':
      process.stdout.write(`${BUILD}\n`)
      return 0
    case '--help':
    case '-h':
    case undefined:
      process.stdout.write(USAGE)
      return command === undefined ? 2 : 0
    default:
      throw refuse(command, 'is no command: there are gateway, proxy, signal and shell (tabkeeper --help)')
  }
}

async function gateway(args: readonly string[]): Promise<number> {
  const {
    listen,
    data,
    super: superDigest,
    'enforce-quota': enforceQuota,
    ...ensemble
  } = parse(args, {
    listen: { type: 'string' },
    data: { type: 'string' },
    super: { type: 'string' },
    'enforce-quota': { type: 'boolean' },
    ensemble: { type: 'string' },
    secret: { type: 'string' },
    signal: { type: 'string', multiple: true },
    create: { type: 'string' },
    ice: { type: 'string', multiple: true },
    voters: { type: 'string' },
  })
  const abort = new AbortController()
  const stopped = interrupted().finally(() => abort.abort())
  if (superDigest !== undefined && !/^[^:]+:[A-Za-z0-9+/]{27}=$/.test(superDigest))
    throw refuse('--super', 'must be USER:HASH, the hash as in a digest ACL')
  const started = await Gateway.start({
    listen: parseAddress(needed(listen, '--listen'), '--listen'),
    data: needed(data, '--data'),
    enforceQuota: enforceQuota ?? false,
    ...(superDigest === undefined ? {} : { superDigest }),
    ...memberOf(ensemble, abort.signal),
    notice: (message) => void process.stderr.write(`${message}\n`),
  })
  process.stdout.write(`serving ZooKeeper clients at ${formatAddress(started.address)}\n`)
  const why = await Promise.race([started.ended, stopped])
  if (why instanceof KeeperError) throw why
  await started.close()
  return 0
}

interface EnsembleArguments {
  readonly ensemble?: string
  readonly secret?: string
  readonly signal?: readonly string[]
  readonly create?: string
  readonly ice?: readonly string[]
  readonly voters?: string
}

function memberOf(given: EnsembleArguments, abort: AbortSignal): Pick<GatewayOptions, 'ensemble'> {
  const { ensemble: name, signal, create = 'never', ice = [], voters = '3' } = given
  if (name === undefined) {
    const [other] = Object.keys(given)
    if (other !== undefined) throw refuse(`--${other}`, 'goes with --ensemble')
    return {}
  }
  const secret = needed(given.secret ?? process.env['TABKEEPER_SECRET'], '--secret')
  if (signal === undefined) throw refuse('--signal', 'is missing')
  if (create !== 'always' && create !== 'never') throw refuse('--create', 'must be always or never')
  if (voters !== '1' && voters !== '3' && voters !== '5') throw refuse('--voters', 'must be 1, 3 or 5')
  const iceServers = ice.map((urls) => ({ urls }))
  return { ensemble: { name, secret, signal, create, iceServers, voters: Number(voters) as 1 | 3 | 5, abort } }
}

async function proxy(args: readonly string[]): Promise<number> {
  const values = parse(args, {
    listen: { type: 'string' },
    zookeeper: { type: 'string' },
    origin: { type: 'string', multiple: true },
    token: { type: 'string' },
    'connections-per-address': { type: 'string' },
    'frame-bytes': { type: 'string' },
    'bytes-per-second': { type: 'string' },
  })
  const limits = {
    ...limit('connectionsPerAddress', values['connections-per-address'], '--connections-per-address'),
    ...limit('frameBytesMax', values['frame-bytes'], '--frame-bytes'),
    ...limit('bytesPerSecond', values['bytes-per-second'], '--bytes-per-second'),
  }
  const started = await WebSocketProxy.start({
    listen: parseAddress(needed(values.listen, '--listen'), '--listen'),
    zookeeper: parseAddresses(needed(values.zookeeper, '--zookeeper'), '--zookeeper', 2181),
    ...(values.origin === undefined ? {} : { origins: values.origin }),
    ...(values.token === undefined ? {} : { token: values.token }),
    ...limits,
  })
  process.stdout.write(`serving pages at ws://${formatAddress(started.address)}\n`)
  await interrupted()
  await started.close()
  return 0
}

async function signal(args: readonly string[]): Promise<number> {
  const values = parse(args, {
    listen: { type: 'string' },
    path: { type: 'string' },
    origin: { type: 'string', multiple: true },
    token: { type: 'string' },
    'connections-per-address': { type: 'string' },
    'messages-per-second': { type: 'string' },
  })
  if (values.path !== undefined && !values.path.startsWith('/')) throw refuse('--path', 'must begin with /')
  const started = await SignalServer.start({
    listen: parseAddress(needed(values.listen, '--listen'), '--listen'),
    ...(values.path === undefined ? {} : { path: values.path }),
    ...(values.origin === undefined ? {} : { origins: values.origin }),
    ...(values.token === undefined ? {} : { token: values.token }),
    ...limit('connectionsPerAddress', values['connections-per-address'], '--connections-per-address'),
    ...limit('messagesPerSecond', values['messages-per-second'], '--messages-per-second'),
  })
  process.stdout.write(`introducing pages at ws://${formatAddress(started.address)}${values.path ?? ''}\n`)
  await interrupted()
  await started.close()
  return 0
}

async function shell(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseShell(args)
  const timeout = values.timeout === undefined ? undefined : positive(values.timeout, '--timeout')
  return runShell({
    server: parseAddress(values.server ?? '127.0.0.1:2181', '--server', 2181),
    ...(timeout === undefined ? {} : { timeout }),
    command: positionals,
    input: process.stdin,
    output: process.stdout,
  })
}

/** Options come before the command; everything behind it is the command's. */
function parseShell(args: readonly string[]) {
  const at = args.findIndex((arg, i) => !arg.startsWith('-') && !/^(-s|--server|--timeout)$/.test(args[i - 1] ?? ''))
  const own = at === -1 ? args : args.slice(0, at)
  const values = parse(own, { server: { type: 'string', short: 's' }, timeout: { type: 'string' } })
  return { values, positionals: at === -1 ? [] : args.slice(at) }
}

function parse<const O extends Options>(args: readonly string[], options: O) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new KeeperError('BadArguments', error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function needed(value: string | undefined, argument: string): string {
  if (value === undefined || value === '') throw refuse(argument, 'is missing')
  return value
}

function positive(text: string, argument: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw refuse(argument, 'must be a whole number above 0')
  return value
}

const limit = <K extends string>(name: K, text: string | undefined, argument: string) =>
  (text === undefined ? {} : { [name]: positive(text, argument) }) as { readonly [P in K]?: number }

/** Resolves at the first SIGTERM or SIGINT. A second one ends the process at once. */
function interrupted(): Promise<null> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(null))
  })
}
