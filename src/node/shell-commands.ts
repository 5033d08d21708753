import { parseArgs } from 'node:util'
import { KeeperError } from '../base/errors.ts'
import type { CreateMode, WatchNotice } from '../client/api.ts'
import type { Client } from '../client/client.ts'
import { parseAcl, showAcl, showData, showStat } from './shell-show.ts'

export interface ShellContext {
  readonly client: Client
  readonly print: (line: string) => void
  /** Is somebody there to see what comes later? If not, `watch` waits for its end. */
  readonly interactive: boolean
}

type Flags = Readonly<Record<string, string | boolean | undefined>>
type Run = (context: ShellContext, args: readonly string[], flags: Flags) => Promise<void>

interface Command {
  readonly usage: string
  /** Letters of options; one with a colon behind it takes a value. */
  readonly flags?: string
  readonly args: readonly [min: number, max: number]
  readonly run: Run
}

const path = (args: readonly string[]): string => args[0] ?? '/'
const join = (parent: string, name: string): string => (parent === '/' ? `/${name}` : `${parent}/${name}`)
const version = (flags: Flags): { readonly version?: number } =>
  flags['v'] === undefined ? {} : { version: number(flags['v'], '-v') }

function number(text: string | boolean, argument: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) {
    throw new KeeperError('BadArguments', `${argument} must be a whole number`, { path: argument })
  }
  return value
}

const told = ({ type, path: at }: Pick<WatchNotice, 'type' | 'path'>): string => `WATCH ${type} ${at}`
const watching = (context: ShellContext, flags: Flags) =>
  flags['w'] === true ? { watch: (event: WatchNotice) => context.print(told(event)) } : {}
const show = (context: ShellContext, lines: readonly string[]): void =>
  lines.forEach((line) => void context.print(line))

/** This path and all below, parents first. A node that goes meanwhile is left out. */
async function* below(client: Client, top: string): AsyncGenerator<string> {
  yield top
  let children: readonly string[]
  try {
    children = (await client.getChildren(top)).children
  } catch (error) {
    if (error instanceof KeeperError && error.code === 'NoNode') return
    throw error
  }
  for (const name of children) yield* below(client, join(top, name))
}

function modeOf(flags: Flags): CreateMode {
  const { s: sequential, e: ephemeral, c: container, t: ttl } = flags
  if ([ephemeral, container, ttl].filter((flag) => flag !== undefined).length > 1 || (container && sequential)) {
    throw new KeeperError('BadArguments', '-e, -c and -t exclude each other, and -c excludes -s', { path: '-c' })
  }
  if (container) return 'container'
  if (ttl !== undefined) return sequential ? 'persistentSequentialWithTtl' : 'persistentWithTtl'
  if (ephemeral) return sequential ? 'ephemeralSequential' : 'ephemeral'
  return sequential ? 'persistentSequential' : 'persistent'
}

export const COMMANDS: Readonly<Record<string, Command>> = {
  ls: {
    usage: 'ls [-s] [-w] [-R] path',
    flags: 'swR',
    args: [1, 1],
    run: async (context, args, flags) => {
      if (flags['R'] === true) {
        for await (const each of below(context.client, path(args))) context.print(each)
        return
      }
      const { children, stat } = await context.client.getChildren(path(args), watching(context, flags))
      context.print(`[${children.join(', ')}]`)
      if (flags['s'] === true) show(context, showStat(stat))
    },
  },
  get: {
    usage: 'get [-s] [-w] path',
    flags: 'sw',
    args: [1, 1],
    run: async (context, args, flags) => {
      const { data, stat } = await context.client.getData(path(args), watching(context, flags))
      context.print(showData(data))
      if (flags['s'] === true) show(context, showStat(stat))
    },
  },
  set: {
    usage: 'set [-s] [-v version] path data',
    flags: 'sv:',
    args: [2, 2],
    run: async (context, args, flags) => {
      const stat = await context.client.setData(path(args), args[1] as string, version(flags))
      if (flags['s'] === true) show(context, showStat(stat))
    },
  },
  create: {
    usage: 'create [-s] [-e] [-c] [-t ttl] path [data] [acl]',
    flags: 'sect:',
    args: [1, 3],
    run: async (context, args, flags) => {
      const created = await context.client.create(path(args), args[1] ?? null, {
        mode: modeOf(flags),
        ...(flags['t'] === undefined ? {} : { ttl: number(flags['t'], '-t') }),
        ...(args[2] === undefined ? {} : { acl: parseAcl(args[2]) }),
      })
      context.print(`Created ${created.path}`)
    },
  },
  delete: {
    usage: 'delete [-v version] path',
    flags: 'v:',
    args: [1, 1],
    run: (context, args, flags) => context.client.delete(path(args), version(flags)),
  },
  deleteall: {
    usage: 'deleteall path',
    args: [1, 1],
    run: async ({ client }, args) => {
      const all: string[] = []
      for await (const each of below(client, path(args))) all.push(each)
      for (const each of all.reverse()) {
        await client.delete(each).catch((error: unknown) => {
          if (!(error instanceof KeeperError && error.code === 'NoNode')) throw error
        })
      }
    },
  },
  stat: {
    usage: 'stat [-w] path',
    flags: 'w',
    args: [1, 1],
    run: async (context, args, flags) => {
      const stat = await context.client.exists(path(args), watching(context, flags))
      if (stat === null) throw new KeeperError('NoNode', undefined, { path: path(args) })
      show(context, showStat(stat))
    },
  },
  getAcl: {
    usage: 'getAcl [-s] path',
    flags: 's',
    args: [1, 1],
    run: async (context, args, flags) => {
      const { acl, stat } = await context.client.getAcl(path(args))
      show(context, showAcl(acl))
      if (flags['s'] === true) show(context, showStat(stat))
    },
  },
  setAcl: {
    usage: 'setAcl [-s] [-v version] [-R] path acl',
    flags: 'sv:R',
    args: [2, 2],
    run: async (context, args, flags) => {
      const acl = parseAcl(args[1] as string)
      if (flags['R'] === true) {
        for await (const each of below(context.client, path(args))) await context.client.setAcl(each, acl)
        return
      }
      const stat = await context.client.setAcl(path(args), acl, version(flags))
      if (flags['s'] === true) show(context, showStat(stat))
    },
  },
  addauth: {
    usage: 'addauth scheme auth',
    args: [2, 2],
    run: ({ client }, args) => client.addAuth(args[0] as string, args[1] as string),
  },
  whoami: {
    usage: 'whoami',
    args: [0, 0],
    run: async (context) =>
      show(
        context,
        (await context.client.whoAmI()).map(({ scheme, user }) => `${scheme}: ${user}`),
      ),
  },
  sync: {
    usage: 'sync path',
    args: [0, 1],
    run: ({ client }, args) => client.sync(path(args)),
  },
  watch: {
    usage: 'watch [-r] path',
    flags: 'r',
    args: [1, 1],
    run: async (context, args, flags) => {
      const notices = await context.client.watch(path(args), { recursive: flags['r'] === true })
      const listen = async (): Promise<void> => {
        for await (const notice of notices) context.print(told(notice))
      }
      if (!context.interactive) return listen()
      listen().catch((error: unknown) => {
        // Whoever leaves the shell need not be told.
        if (!(error instanceof KeeperError && error.code === 'Closed')) context.print(String(error))
      })
    },
  },
  removewatches: {
    usage: 'removewatches path',
    args: [1, 1],
    run: async ({ client }, args) => void (await client.removeWatches(path(args))),
  },
  getEphemerals: {
    usage: 'getEphemerals [path]',
    args: [0, 1],
    run: async (context, args) => context.print(`[${(await context.client.getEphemerals(path(args))).join(', ')}]`),
  },
  getAllChildrenNumber: {
    usage: 'getAllChildrenNumber path',
    args: [1, 1],
    run: async (context, args) => context.print(String(await context.client.getAllChildrenNumber(path(args)))),
  },
}

/** Runs one command. Rejects with BadArguments, naming the usage, and as the client does. */
export async function runWords(context: ShellContext, words: readonly string[]): Promise<void> {
  const [name = '', ...rest] = words
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined) throw new KeeperError('BadArguments', `there is no command ${name}; try help`)
  const { values, positionals } = parse(command, rest)
  const [min, max] = command.args
  if (positionals.length < min || positionals.length > max) {
    throw new KeeperError('BadArguments', `usage: ${command.usage}`)
  }
  await command.run(context, positionals, values)
}

function parse(command: Command, args: readonly string[]): { values: Flags; positionals: string[] } {
  const options: Record<string, { type: 'string' | 'boolean'; short: string }> = {}
  for (const [, short = '', colon] of (command.flags ?? '').matchAll(/(\w)(:?)/g)) {
    options[short] = { type: colon === ':' ? 'string' : 'boolean', short }
  }
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
    return { values: values as Flags, positionals }
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error)
    throw new KeeperError('BadArguments', `${why}; usage: ${command.usage}`, { cause: error })
  }
}
