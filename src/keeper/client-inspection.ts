import type { ReplicaId } from '../base/ids.ts'
import { sessionToHex } from '../base/life-locks.ts'
import { epochOf, formatZxid, type Zxid } from '../base/zxid.ts'
import type { ZnodeClient } from '../client/api.ts'
import type { Inspection } from './api.ts'

/** What a page can know that is only a client. */
export async function inspectClient(
  client: ZnodeClient,
  about: Pick<Inspection, 'ensemble' | 'ensembleId' | 'server'>,
): Promise<Inspection> {
  const here = client.state === 'connected'
  const [ephemerals, below] = here
    ? await Promise.all([client.getEphemerals(), client.getAllChildrenNumber('/')])
    : [[], 0]
  const zxid = formatZxid(client.lastZxid as Zxid)
  const epoch = epochOf(client.lastZxid)
  const session = { id: `0x${sessionToHex(client.sessionId)}`, timeout: client.sessionTimeout }
  return {
    ...about,
    replica: 0 as ReplicaId,
    forkedFrom: null,
    incarnation: 0,
    browser: '',
    role: here ? 'observing' : 'looking',
    leader: null,
    parent: null,
    epoch: { accepted: epoch, current: epoch },
    zxid: { last: zxid, durable: zxid, committed: zxid, applied: zxid },
    voters: [],
    joint: false,
    links: [],
    sessions: here ? [{ ...session, ephemerals: ephemerals.length, here }] : [],
    tree: { znodes: below + 1, dataBytes: 0, watches: 0, digest: '' },
    storage: { entries: 0, bytes: null, state: 'open' },
    marks: {},
  }
}
