import { expose } from 'comlink'
import { portPipe } from '../src/client/port-pipe.ts'
import { fork } from '../src/replica/fork.ts'
import { demandReadable, founding, votersOfEntry as votersOf } from '../src/replica/founding.ts'
import { Service } from '../src/replica/service.ts'
import { workerPlatform } from '../src/replica/worker-platform.ts'
import { Server } from '../src/server/server.ts'
import { claimIdentity, claimReplica } from '../src/storage/claim.ts'
import type { Begin } from '../src/storage/fork.ts'
import { replicaLock } from '../src/storage/names.ts'
import { LeadersDispatcher } from './leaders-dispatcher.ts'

// The composition root of a page's replica: its log is in IndexedDB, its links come from the page, its one client is the page.
const begin: Begin = (parent, child) => fork(parent, child, new Server(), { now: performance.now(), wall: Date.now() })
const dispatcher = new LeadersDispatcher()

expose(
  new Service({
    claim: async ({ ensemble: name, create, join, fork = false }) => {
      const terms = {
        name,
        create,
        founding,
        votersOf,
        demandReadable,
        ...(join === undefined ? {} : { ensemble: join }),
        ...(fork ? { fork: begin } : {}),
      }
      const claim = await claimReplica(terms)
      return { ...claim, lock: replicaLock(claim.recovered) }
    },
    adopt: ({ ensemble: name }, ensemble, replica) => claimIdentity({ name, demandReadable }, { ensemble, replica }),
    server: () => new Server(),
    platform: workerPlatform,
    pipe: portPipe,
    locks: navigator.locks,
    leading: (replica) => dispatcher.start(replica),
    notLeading: () => dispatcher.stop(),
  }),
)
