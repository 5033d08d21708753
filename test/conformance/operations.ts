import type { CreateMode, Op, OpResult, ReadOp, ReadOpResult } from '../../src/client/api.ts'
import type { WatchMode, WatchType } from '../../src/client/watch-registry.ts'
import { aclOf, bytesOf, showAcl, showData, showStat, WORLD_ALL } from './notation.ts'
import type { PlayedClient } from './played-client.ts'
import type { Arguments, Json, Step } from './scenario.ts'

type Owners = ReadonlyMap<bigint, string>

const REMOVED = { data: 'DataWatchRemoved', children: 'ChildWatchRemoved', persistent: 'PersistentWatchRemoved' }

/** One request through the real client; results as the Java client gives them. */
export async function perform(step: Step, played: PlayedClient, owners: Owners): Promise<Json> {
  const { client, chroot } = played
  const path = step.path as string
  const read = step.watch === true ? { watch: played.watch } : {}
  const version = step.version === undefined ? {} : { version: step.version }
  switch (step.op) {
    case 'create': {
      const created = await client.create(path, bytesOf(step.data), createOptions(step))
      return { path: javaCreated(created.path, path, chroot), stat: showStat(created.stat, owners) }
    }
    case 'delete':
      await client.delete(path, version)
      return {}
    case 'exists': {
      const stat = await client.exists(path, read)
      return { stat: stat === null ? null : showStat(stat, owners) }
    }
    case 'getData': {
      const { data, stat } = await client.getData(path, read)
      return { data: showData(data), stat: showStat(stat, owners) }
    }
    case 'setData':
      return { stat: showStat(await client.setData(path, bytesOf(step.data), version), owners) }
    case 'getChildren': {
      const { children, stat } = await client.getChildren(path, read)
      return step.stat === true ? { children, stat: showStat(stat, owners) } : { children }
    }
    case 'getACL': {
      const { acl, stat } = await client.getAcl(path)
      return { acl: showAcl(acl), stat: showStat(stat, owners) }
    }
    case 'setACL':
      return { stat: showStat(await client.setAcl(path, aclArgument(step), version), owners) }
    case 'multi': {
      const results = await client.multi((step.ops ?? []).map(multiOp))
      return { results: results.map((result) => showResult(result, chroot, owners)) }
    }
    case 'multiRead': {
      const results = await client.multiRead((step.ops ?? []) as readonly ReadOp[])
      return { results: results.map((result) => showRead(result, owners)) }
    }
    case 'sync':
      await client.sync(path)
      return { path }
    case 'addAuth':
      await client.addAuth(step.scheme as string, step.auth as string)
      return {}
    case 'whoAmI':
      return { clientInfo: (await client.whoAmI()).map(({ scheme, user }) => `${scheme}:${user}`).sort() }
    case 'getEphemerals':
      return { paths: await ephemerals(played, step.prefix) }
    case 'getAllChildrenNumber':
      return { number: await client.getAllChildrenNumber(path) }
    case 'addWatch':
      await client.addWatch(path, played.watch, { mode: step.mode as WatchMode })
      return {}
    case 'removeWatches': {
      const kinds = await client.removeWatches(path, {
        ...(step.type === undefined ? {} : { type: step.type as WatchType }),
        ...(step.local === true ? { local: true } : {}),
        ...(step.one === true ? { watch: played.watch } : {}),
      })
      for (const kind of kinds) played.events.push({ type: REMOVED[kind], path })
      return {}
    }
    default:
      throw new Error(`no such operation: ${step.op}`)
  }
}

const aclArgument = (args: Arguments) => (args.acl ?? [WORLD_ALL]).map(aclOf)

const createOptions = (args: Arguments) => ({
  acl: aclArgument(args),
  ...(args.mode === undefined ? {} : { mode: args.mode as CreateMode }),
  ...(args.ttl === undefined ? {} : { ttl: args.ttl }),
})

/** Whatever the scenario says, also what does not belong into a multi. */
function multiOp(args: Arguments & { readonly op: string }): Op {
  const { op, path } = args
  const version = args.version === undefined ? {} : { version: args.version }
  if (op === 'create') return { op, path: path as string, data: bytesOf(args.data), ...createOptions(args) }
  return { op, path, data: bytesOf(args.data), ...version } as unknown as Op
}

function showResult(result: OpResult, chroot: string, owners: Owners): Json {
  switch (result.op) {
    case 'create': {
      const shown = { type: 'create', path: javaAbsolute(result.path, chroot) }
      return result.stat === null ? shown : { ...shown, stat: showStat(result.stat, owners) }
    }
    case 'setData':
      return { type: 'setData', stat: showStat(result.stat, owners) }
    default:
      return { type: result.op }
  }
}

function showRead(result: ReadOpResult, owners: Owners): Json {
  switch (result.op) {
    case 'getData':
      return { type: 'getData', data: showData(result.data), stat: showStat(result.stat, owners) }
    case 'getChildren':
      return { type: 'getChildren', children: result.children }
    case 'error':
      return { error: result.error }
  }
}

/** The Java client cuts the chroot's length off, whatever the path. */
function javaCreated(created: string, asked: string, chroot: string): string {
  if (chroot === '' || asked !== '/') return created
  return created === '/' ? '' : created.slice(chroot.length)
}

/** In results of multi and getEphemerals the Java client shows the server's paths; ours does so only outside the chroot. */
function javaAbsolute(path: string, chroot: string): string {
  if (chroot === '' || isSibling(path, chroot)) return path
  return path === '/' ? chroot : chroot + path
}

const isSibling = (path: string, chroot: string): boolean =>
  path.startsWith(chroot) && /^\d{10}$/.test(path.slice(chroot.length))

async function ephemerals({ client, chroot }: PlayedClient, prefix: string | undefined): Promise<string[]> {
  if (chroot === '') return [...(await client.getEphemerals(prefix))]
  const all = (await client.getEphemerals()).map((path) => javaAbsolute(path, chroot))
  return all.filter((path) => prefix === undefined || path.startsWith(prefix))
}
