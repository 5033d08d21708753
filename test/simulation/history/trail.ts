import { NO_SESSION, type SessionId } from '../../../src/base/ids.ts'
import type { Zxid } from '../../../src/base/zxid.ts'
import type { History, LogEntry, Op, Result, SessionEvent, SessionHistory, Stamp, WatchTold, WriteOp } from './types.ts'

/** A request and what came of it. */
export interface Call {
  readonly connection: Connection
  readonly xid: number
  readonly op: Op
  readonly invoked: Stamp
  reply: (Stamp & { readonly zxid: Zxid; readonly result: Result }) | null
}

export type Arrival = { readonly kind: 'reply'; readonly call: Call } | (Stamp & WatchTold & { readonly kind: 'watch' })

/** One connection of a session, from the attempt to its end. */
export interface Connection {
  readonly client: Client
  readonly opened: Stamp
  attached: Stamp | null
  lost: Stamp | null
  readonly calls: Map<number, Call>
  /** What came from the server, in that order. */
  readonly arrivals: Arrival[]
}

export interface Client {
  readonly name: string
  session: SessionId
  /** Milliseconds, as granted. */
  timeout: number
  expired: Stamp | null
  /** When it last said anything. */
  lastSaid: number
  readonly connections: Connection[]
}

/** A history, arranged for the steps. */
export interface Trail {
  readonly history: History
  readonly clients: readonly Client[]
  readonly bySession: ReadonlyMap<SessionId, Client>
  /** In the order in which they were asked. */
  readonly calls: readonly Call[]
  /** Of every zxid in the log: its place, from 1. */
  readonly positions: ReadonlyMap<Zxid, number>
}

export const isWrite = (op: Op): op is WriteOp =>
  op.kind === 'create' ||
  op.kind === 'delete' ||
  op.kind === 'setData' ||
  op.kind === 'check' ||
  op.kind === 'multi' ||
  op.kind === 'close'

export const who = ({ connection, xid, op }: Call): string =>
  `${connection.client.name} #${xid} ${op.kind}${'path' in op ? ` ${op.path}` : ''}`

export function follow(history: History): Trail {
  const clients = history.sessions.map(followClient)
  const calls = clients.flatMap(({ connections }) => connections.flatMap((one) => [...one.calls.values()]))
  return {
    history,
    clients,
    bySession: new Map(clients.filter(({ session }) => session !== NO_SESSION).map((one) => [one.session, one])),
    calls: calls.sort((a, b) => a.invoked.at - b.invoked.at),
    positions: new Map(history.log.map(({ zxid }: LogEntry, at) => [zxid, at + 1])),
  }
}

function followClient({ name, events }: SessionHistory): Client {
  const client: Client = {
    name,
    session: NO_SESSION,
    timeout: 0,
    expired: null,
    lastSaid: 0,
    connections: [],
  }
  for (const event of events) step(client, event)
  return client
}

function step(client: Client, event: SessionEvent): void {
  const { at, ms } = event
  const present = client.connections.at(-1)
  if (event.kind === 'connect') {
    const opened = { at, ms }
    client.connections.push({ client, opened, attached: null, lost: null, calls: new Map(), arrivals: [] })
    client.lastSaid = ms
    return
  }
  if (present === undefined) throw new Error(`${client.name}: ${event.kind} without a connection`)
  switch (event.kind) {
    case 'attached':
      present.attached = { at, ms }
      client.session = event.session
      client.timeout = event.timeout
      return
    case 'expired':
      client.expired = { at, ms }
      return
    case 'lost':
      present.lost = { at, ms }
      return
    case 'invoke':
      client.lastSaid = ms
      present.calls.set(event.xid, {
        connection: present,
        xid: event.xid,
        op: event.op,
        invoked: { at, ms },
        reply: null,
      })
      return
    case 'reply': {
      const call = present.calls.get(event.xid)
      if (call === undefined) throw new Error(`${client.name}: a reply to ${event.xid}, which was not asked`)
      call.reply = { at, ms, zxid: event.zxid, result: event.result }
      present.arrivals.push({ kind: 'reply', call })
      return
    }
    default:
      present.arrivals.push(event)
  }
}
