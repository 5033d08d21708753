import { IDBFactory } from 'fake-indexeddb'
import type { KeeperError } from '../../../src/base/errors.ts'
import type { ReplicaId, SessionId } from '../../../src/base/ids.ts'
import { makeZxid, nextZxid, type Zxid } from '../../../src/base/zxid.ts'
import { encodeRequest, type Request } from '../../../src/jute/protocol.ts'
import { fork } from '../../../src/replica/fork.ts'
import { demandReadable, founding, votersOfEntry as votersOf } from '../../../src/replica/founding.ts'
import { Server } from '../../../src/server/server.ts'
import { type ClaimOptions, claimReplica } from '../../../src/storage/claim.ts'
import type { Begin } from '../../../src/storage/fork.ts'
import { OPEN_ACL } from '../../../src/tree/acl.ts'
import { encodeLeaderRequest } from '../../../src/tree/request.ts'
import type { Entry } from '../../../src/zab/entry.ts'
import { encodeConfig } from '../../../src/zab/membership.ts'
import { MemoryLocks } from '../storage/locks.ts'

export const clock = { now: 1000, wall: 1_700_000_000_000 }
export const begin: Begin = (parent, child) => fork(parent, child, new Server(), clock)

/** Pages of one browser: they share databases and locks. */
export function browser() {
  const databases = new IDBFactory() as never as globalThis.IDBFactory
  const locks = new MemoryLocks()
  const claim = (options: Partial<ClaimOptions> = {}) =>
    claimReplica({ name: 'shop', create: 'auto', founding, votersOf, demandReadable, databases, locks, ...options })
  return { databases, locks, claim }
}

const SESSION = 77n as SessionId
const create = (path: string, flags = 0): Request => ({ kind: 'create', path, data: null, acl: OPEN_ACL, flags })

/** What a leader of epoch 3 made of these: a session, a znode, an ephemeral, and then `more` of them. */
export function written(more: number): Entry[] {
  const server = new Server()
  server.startLeading(clock.now)
  const entries: Entry[] = []
  let zxid: Zxid = makeZxid(3, 0)
  const ask = (bytes: Uint8Array): void => {
    zxid = nextZxid(zxid)
    const txn = server.prepare(zxid, bytes, clock.now, clock.wall)
    server.apply(zxid, txn)
    entries.push({ zxid, kind: 'txn', bytes: txn })
  }
  const password = new Uint8Array(16)
  ask(encodeLeaderRequest({ kind: 'createSession', session: SESSION, origin: 5, timeout: 5000, password, line: 0 }))
  const silent = 78n as SessionId
  ask(encodeLeaderRequest({ kind: 'createSession', session: silent, origin: 6, timeout: 5000, password, line: 0 }))
  const requests = [create('/kept'), create('/mine', 1)]
  for (let n = 0; n < more; n++) requests.push(create(`/kept/${n}`))
  for (const [xid, request] of requests.entries())
    ask(
      encodeLeaderRequest({
        ...{ kind: 'client', session: SESSION, origin: 5, who: [], seen: 0 },
        packet: encodeRequest(xid, request),
      }),
    )
  return entries
}

/** A voter of three, the others of which are gone for good; nothing behind 3:2 is known to be committed. */
export async function orphan({ claim }: ReturnType<typeof browser>, more = 10) {
  const voter = await claim()
  const { ensemble, replica } = voter.recovered
  const config = encodeConfig({ ensemble, voters: [replica, 8 as ReplicaId, 9 as ReplicaId], old: null })
  const entries: Entry[] = [{ zxid: makeZxid(2, 1), kind: 'config', bytes: config }, ...written(more)]
  await voter.log.write(
    [
      { kind: 'acceptedEpoch', epoch: 4 },
      { kind: 'append', entries },
      { kind: 'currentEpoch', epoch: 3 },
    ],
    { relaxed: false, committed: makeZxid(3, 2) },
  )
  return { voter, config: entries[0] as Entry, last: entries.at(-1)?.zxid as Zxid }
}

export const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'Ok',
    (error: KeeperError) => error.code,
  )
