import type { ReplicaId } from '../../src/base/ids.ts'
import { formatZxid, type Zxid } from '../../src/base/zxid.ts'
import type { Entry } from '../../src/zab/entry.ts'
import type { Change, Order } from '../../src/zab/facts.ts'
import { configOf, lastZxid } from '../../src/zab/history.ts'
import { type Config, decodeConfig } from '../../src/zab/membership.ts'
import type { Message } from '../../src/zab/messages.ts'
import type { Peer } from '../../src/zab/peer.ts'
import type { Actor } from './stage.ts'

/** One order as one line; null for what is said by another line. */
export function line(id: ReplicaId, order: Order): string | null {
  switch (order.kind) {
    case 'send':
      return `${id}→${order.to} ${message(order.message)}`
    case 'sendSnapshot':
      return null
    case 'closeLink':
      return `${id} closes the link to ${order.peer}: ${order.reason}`
    case 'write':
      return `${id} write ${order.write}: ${order.changes.map(change).join(', ')}${order.relaxed ? ' (relaxed)' : ''}`
    case 'prepare':
      return `${id} prepare ${formatZxid(order.zxid)} ${quoted(order.request)}`
    case 'deliver':
      return `${id} deliver ${span(order.entries)}`
    case 'restore':
      return `${id} restore the snapshot at ${formatZxid(order.zxid)}`
    case 'role':
      return `${id} role ${order.role}${order.leader === null ? '' : `, leader ${order.leader}`}, epoch ${order.epoch}${order.serving ? ', serving' : ''}`
    case 'leading':
      return `${id} begins to lead`
    case 'notLeading':
      return `${id} leads no more`
    case 'synced':
      return `${id} synced ${order.tag}`
    case 'touch':
      return `${id} touch`
    case 'reconfigured':
      return `${id} reconfigured ${order.tag}: ${order.error ?? 'done'}`
    case 'mark':
      return `${id} (${order.name}${order.detail === '' ? '' : `: ${order.detail}`})`
    case 'digestAt':
      return null
    case 'notice':
      return `${id} notice ${order.code}: ${order.reason}`
    case 'halt':
      return `${id} halt ${order.code}: ${order.reason}`
  }
}

function message(m: Message): string {
  switch (m.kind) {
    case 'notification':
      return `Notification ${m.state}${m.established ? ' established' : ''}${m.room ? ', has room' : ''}, round ${m.round}: ${m.leader} (epoch ${m.epoch}, ${formatZxid(m.zxid)})`
    case 'followerInfo':
      return `FollowerInfo accepted ${m.acceptedEpoch}${m.snapshotWanted ? ', wants a snapshot' : ''}${m.demoted ? ', demoted' : ''}${m.insists ? ', insists' : ''}`
    case 'leaderInfo':
      return `LeaderInfo epoch ${m.epoch}, leader ${m.leader}`
    case 'ackEpoch':
      return `AckEpoch current ${m.currentEpoch}, last ${formatZxid(m.lastZxid)}, ends ${m.epochEnds.map(formatZxid).join(' ')}`
    case 'sync':
      return `Sync ${m.mode.toUpperCase()} from ${formatZxid(m.from)}${m.voting ? '' : ', not voting'}`
    case 'snapshotChunk':
      return `SnapshotChunk ${quoted(m.bytes)}${m.last ? ' last' : ''}`
    case 'newLeader':
      return `NewLeader epoch ${m.epoch}, last ${formatZxid(m.last)}`
    case 'ackNewLeader':
      return `AckNewLeader epoch ${m.epoch}, ${formatZxid(m.zxid)}`
    case 'upToDate':
      return `UpToDate committed ${formatZxid(m.committed)}`
    case 'candidate':
      return 'Candidate'
    case 'proposal':
      return `Proposal ${span(m.entries)}`
    case 'ack':
      return `Ack ${formatZxid(m.zxid)}`
    case 'commit':
      return `Commit ${formatZxid(m.zxid)}`
    case 'inform':
      return `Inform ${span(m.entries)}`
    case 'ping':
      return `Ping ${m.token}${m.wanted ? ', wants observers' : ''}${m.named === undefined ? '' : `, wants ${m.named}`}`
    case 'pong':
      return `Pong ${m.token}${m.hidden === true ? ', hidden' : ''}`
    case 'request':
      return `Request ${m.requests.map(quoted).join(' ')}`
    case 'syncRequest':
      return `SyncRequest ${m.tag}`
    case 'syncReply':
      return `SyncReply ${m.tag}: ${formatZxid(m.zxid)}`
    case 'handOver':
      return `HandOver${m.to === undefined ? '' : ` to ${m.to}`}`
    case 'regressed':
      return `Regressed: accepted ${m.acceptedEpoch}, current ${m.currentEpoch}, last ${formatZxid(m.zxid)}`
    case 'digest':
      return `Digest at ${formatZxid(m.zxid)}: ${m.digest}`
    case 'diverged':
      return `Diverged at ${formatZxid(m.zxid)}: ${m.digest}`
    case 'quarantine':
      return 'Quarantine'
    case 'readmit':
      return 'Readmit'
    case 'readmitted':
      return 'Readmitted'
    case 'redirect':
      return `Redirect: ${m.leader} leads, try ${m.to.length === 0 ? 'it' : m.to}`
    case 'refuse':
      return `Refuse: ${m.reason}`
  }
}

function change(one: Change): string {
  switch (one.kind) {
    case 'append':
      return `append ${span(one.entries)}`
    case 'truncate':
      return `truncate to ${formatZxid(one.zxid)}`
    case 'install':
      return `install snapshot at ${formatZxid(one.zxid)}`
    case 'acceptedEpoch':
      return `accepted epoch ${one.epoch}`
    case 'currentEpoch':
      return `current epoch ${one.epoch}`
    case 'remember':
      return `remember ${one.of.map(({ id, acceptedEpoch, currentEpoch, zxid }) => `${id} ${acceptedEpoch}/${currentEpoch} ${formatZxid(zxid)}`).join(', ')}`
    case 'demoted':
      return one.demoted ? 'demoted' : 'readmitted'
  }
}

function span(entries: readonly Entry[]): string {
  return entries.length > 3
    ? `${entry(entries[0] as Entry)} … ${entry(entries.at(-1) as Entry)}`
    : entries.map(entry).join(' ')
}

const entry = (one: Entry): string =>
  one.kind === 'config'
    ? `${formatZxid(one.zxid)} config ${config(decodeConfig(one.bytes))}`
    : one.kind === 'format'
      ? `${formatZxid(one.zxid)} format`
      : `${formatZxid(one.zxid)}`

const quoted = (bytes: Uint8Array): string => `"${new TextDecoder().decode(bytes)}"`

/** `1,2,3`, or while joint `1,2,3←1`. */
const config = ({ voters, old, format }: Config): string =>
  `[${voters}${old === null ? '' : ` ← ${old}`}${format === undefined ? '' : `, format ${format}`}]`

/** What `show` says of one peer. */
export function state({ options: { id }, peer, disk, pending, frozen, applied }: Actor): string {
  if (peer === null) {
    const last = disk.entries.at(-1)?.zxid ?? disk.base
    return `${id} down; disk: accepted ${disk.acceptedEpoch}, current ${disk.currentEpoch}, last ${formatZxid(last)}`
  }
  const voters = configOf(peer.history)
  const facts = [
    `epochs ${peer.acceptedEpoch}/${peer.currentEpoch}`,
    `last ${formatZxid(lastZxid(peer.history))}`,
    lag('durable', peer, peer.durable.zxid),
    lag('committed', peer, peer.committed),
    lag('delivered', peer, peer.delivered),
    `voters ${voters === null ? 'unknown' : config(voters)}`,
    applied.length === 0 ? '' : `applied ${applied.join(' | ')}`,
    pending.length === 0 ? '' : `${pending.length} writes on their way`,
  ]
  return `${id} ${frozen === null ? '' : 'frozen, '}${peer.halted ? 'halted, ' : ''}${peer.demoted ? 'demoted, ' : ''}${peer.diverged ? 'diverged, ' : ''}${role(peer)}; ${facts.filter((one) => one !== '').join(', ')}`
}

function role({ role, round }: Peer): string {
  if (role.kind === 'looking') return `looking (round ${round})`
  if (role.kind === 'leading') return `leading (${role.phase})`
  return `following ${role.leader} (${role.mode}, ${role.phase})`
}

/** Only what is behind the log's end is worth a word. */
const lag = (name: string, peer: Peer, zxid: Zxid): string =>
  zxid === lastZxid(peer.history) ? '' : `${name} ${formatZxid(zxid)}`
