import { formatZxid, type Zxid } from '../../../src/base/zxid.ts'
import { Armed } from './armed.ts'
import { Changes } from './changes.ts'
import type { ReferenceTree } from './reference-tree.ts'
import { demand, type Step } from './step.ts'
import { type Call, type Connection, type Trail, who } from './trail.ts'
import type { Op, WatchTold } from './types.ts'

type SetWatches = Extract<Op, { kind: 'setWatches' }>

/** What a client that came back is told at once, and what is armed instead. */
interface Rearmed {
  readonly missed: readonly WatchTold[]
  readonly armed: readonly { readonly table: 'data' | 'children'; readonly path: string }[]
}

/**
 * Step 5: a watch tells of every change that it is there for, once, in the order of the log, and before any answer that shows the change;
 * and of nothing else. What a client missed while it was away it is told when it registers its watches again.
 */
export function watchesStep(trail: Trail): Step {
  const { history, positions } = trail
  const changes = new Changes()
  const rearmed = new Map<Call, Rearmed>()
  const comingBack = new Map<number, Call[]>()
  for (const call of trail.calls) {
    if (call.op.kind !== 'setWatches' || call.reply === null) continue
    const position = positions.get(call.reply.zxid) ?? 0
    const there = comingBack.get(position)
    if (there === undefined) comingBack.set(position, [call])
    else there.push(call)
  }
  return {
    step: 5,
    after(position, tree, now) {
      changes.add(position, now)
      for (const call of comingBack.get(position) ?? []) {
        if (call.op.kind === 'setWatches' && !isResumed(call)) rearmed.set(call, rearm(tree, call.op))
      }
    },
    finish() {
      for (const { connections } of trail.clients) for (const one of connections) checkConnection(one)
    },
  }

  function checkConnection(connection: Connection): void {
    const { client, arrivals, lost } = connection
    const armed = new Armed(changes)
    let told: WatchTold[] = []
    for (const arrival of arrivals) {
      if (arrival.kind === 'watch') {
        told.push(arrival)
        continue
      }
      const { call } = arrival
      if (isResumed(call)) register(armed, call, placeOf(call.op.since))
      const zxid = call.reply?.zxid ?? (0 as Zxid)
      const position = positions.get(zxid) ?? 0
      told = takeDue(told, armed, position, call)
      for (const event of rearmed.get(call)?.missed ?? []) {
        const at = told.findIndex((one) => same(one, event))
        demand(at >= 0, () => `${who(call)}: ${tell(event)} was missed while away, and never told`)
        told.splice(at, 1)
      }
      demand(told.length === 0, () => `${client.name} was told ${tell(told[0])}, which it does not wait for`)
      if (!isResumed(call)) register(armed, call, position, rearmed.get(call))
    }
    checkTail(connection, told, armed)
    const next = armed.peek()
    if (lost === null && history.settledSince !== null && told.length === 0)
      demand(next === undefined, () => `${client.name} was never told ${next?.type} ${next?.path}`)
  }

  /** How much of the log stands up to this zxid. */
  function placeOf(zxid: Zxid): number {
    let [low, high] = [0, history.log.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((history.log[middle]?.zxid ?? zxid) <= zxid) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Everything up to this answer has been told, in order. What is left was told beyond it. */
  function takeDue(told: readonly WatchTold[], armed: Armed, position: number, call: Call): WatchTold[] {
    let at = 0
    for (let next = armed.peek(); next !== undefined && next.position <= position; next = armed.peek()) {
      const due = takeTogether(armed, next.position)
      for (let left = due.length; left > 0; left--) {
        const event = told[at++]
        const found = event === undefined ? -1 : due.findIndex((one) => same(one, event))
        const missing = due[0]
        demand(found >= 0, () =>
          event === undefined
            ? `${who(call)} shows ${formatZxid(call.reply?.zxid ?? (0 as Zxid))}, and ${tell(missing)} was not told before it`
            : `${call.connection.client.name} was told ${tell(event)}, and should have been told ${tell(missing)}`,
        )
        due.splice(found, 1)
      }
    }
    return told.slice(at)
  }

  /** What one txn tells, in any order. */
  function takeTogether(armed: Armed, position: number): WatchTold[] {
    const due: WatchTold[] = []
    while (armed.peek()?.position === position) {
      const happened = armed.take()
      const zxid = history.log[position - 1]?.zxid
      if (happened !== undefined && zxid !== undefined) due.push({ type: happened.type, path: happened.path, zxid })
    }
    return due
  }

  /** Behind the last answer: a beginning of what is due. */
  function checkTail(connection: Connection, told: readonly WatchTold[], armed: Armed): void {
    const unanswered = [...connection.calls.values()].flatMap(({ op, reply }) =>
      op.kind === 'setWatches' && reply === null ? [op] : [],
    )
    let due: WatchTold[] = []
    for (const event of told) {
      const next = armed.peek()
      if (due.length === 0 && next !== undefined) due = takeTogether(armed, next.position)
      const found = due.findIndex((one) => same(one, event))
      // Its registration was lost with the connection; nobody knows what it has seen.
      if (found < 0 && unanswered.some((op) => op.resumes === true || mayHaveMissed(op, event))) return
      demand(found >= 0, () => `${connection.client.name} was told ${tell(event)}, which it does not wait for`)
      due.splice(found, 1)
    }
    if (connection.lost === null && history.settledSince !== null)
      demand(due.length === 0, () => `${connection.client.name} was never told ${tell(due[0])}`)
  }
}

/** All that it missed comes before the answer. With an error the log does not reach back: as without the addition. */
const isResumed = (call: Call): call is Call & { readonly op: SetWatches } =>
  call.op.kind === 'setWatches' && call.op.resumes === true && call.reply?.result.error === undefined

/** An answered request changes what is armed. */
function register(armed: Armed, call: Call, position: number, rearmed?: Rearmed): void {
  const { op, reply } = call
  const failed = (reply?.result.error ?? 0) !== 0
  switch (op.kind) {
    case 'exists':
      if (op.watch) armed.arm('data', op.path, 'once', position)
      return
    case 'getData':
    case 'getChildren':
      if (op.watch && !failed) armed.arm(op.kind === 'getData' ? 'data' : 'children', op.path, 'once', position)
      return
    case 'addWatch':
      if (failed) return
      for (const table of ['data', 'children'] as const)
        armed.arm(table, op.path, op.recursive ? 'recursive' : 'persistent', position)
      return
    case 'removeWatches':
      if (failed) return
      if (op.of !== 'children') armed.disarm('data', op.path)
      if (op.of !== 'data') armed.disarm('children', op.path)
      return
    case 'setWatches':
      if (rearmed === undefined) {
        for (const path of [...op.data, ...op.exist]) armed.arm('data', path, 'once', position)
        for (const path of op.children) armed.arm('children', path, 'once', position)
      }
      for (const { table, path } of rearmed?.armed ?? []) armed.arm(table, path, 'once', position)
      for (const kind of ['persistent', 'recursive'] as const)
        for (const path of op[kind])
          for (const table of ['data', 'children'] as const) armed.arm(table, path, kind, position)
      return
    default:
  }
}

/** ZooKeeper: DataTree.setWatches. */
function rearm(tree: ReferenceTree, op: SetWatches): Rearmed {
  const missed: WatchTold[] = []
  const armed: { readonly table: 'data' | 'children'; readonly path: string }[] = []
  for (const path of op.data) {
    const stat = tree.stat(path)
    if (stat === undefined) missed.push({ type: 'NodeDeleted', path, zxid: tree.zxid })
    else if (stat.mzxid > op.since) missed.push({ type: 'NodeDataChanged', path, zxid: stat.mzxid as Zxid })
    else armed.push({ table: 'data', path })
  }
  for (const path of op.exist) {
    const stat = tree.stat(path)
    if (stat === undefined) armed.push({ table: 'data', path })
    else missed.push({ type: 'NodeCreated', path, zxid: stat.czxid as Zxid })
  }
  for (const path of op.children) {
    const stat = tree.stat(path)
    if (stat === undefined) missed.push({ type: 'NodeDeleted', path, zxid: tree.zxid })
    else if (stat.pzxid > op.since) missed.push({ type: 'NodeChildrenChanged', path, zxid: stat.pzxid as Zxid })
    else armed.push({ table: 'children', path })
  }
  return { missed, armed }
}

const mayHaveMissed = (op: SetWatches, { path }: WatchTold): boolean =>
  [op.data, op.exist, op.children].some((paths) => paths.includes(path))

const same = (a: WatchTold, b: WatchTold): boolean => a.type === b.type && a.path === b.path && a.zxid === b.zxid
const tell = (event: WatchTold | undefined): string =>
  event === undefined ? 'nothing' : `${event.type} ${event.path} of ${formatZxid(event.zxid)}`
