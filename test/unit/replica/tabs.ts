import type { EnsembleId, LinkId, ReplicaId } from '../../../src/base/ids.ts'
import { makeZxid } from '../../../src/base/zxid.ts'
import { Client } from '../../../src/client/client.ts'
import { memoryPipe } from '../../../src/client/memory-pipe.ts'
import { Replica } from '../../../src/replica/replica.ts'
import type { SnapshotProgress } from '../../../src/replica/snapshot-progress.ts'
import { Server } from '../../../src/server/server.ts'
import { MemoryDisk, MemoryTxnLog } from '../../../src/storage/memory-txn-log.ts'
import type { ByteLink } from '../../../src/transport/byte-link.ts'
import { PEER_VERSION, PEER_VERSION_MAX } from '../../../src/transport/codec.ts'
import { memoryLinkPair } from '../../../src/transport/memory-link.ts'
import { openPeerLink } from '../../../src/transport/open-peer-link.ts'
import { FORMAT_VERSION, foundingEntries } from '../../../src/zab/membership.ts'
import type { VirtualTime } from './virtual-time.ts'

export const ENSEMBLE = '0123456789abcdef0123456789abcdef' as EnsembleId

/** One tab: a disk that outlives its replicas. */
export class Tab {
  readonly id: ReplicaId
  readonly disk: MemoryDisk
  readonly notices: string[] = []
  /** Of snapshots that came. */
  readonly progress: SnapshotProgress[] = []
  readonly links: ByteLink[] = []
  replica: Replica
  ended = false
  readonly #time: VirtualTime
  readonly #more: Partial<ConstructorParameters<typeof Replica>[0]>

  constructor(time: VirtualTime, id: number, more: Partial<ConstructorParameters<typeof Replica>[0]> = {}) {
    this.id = id as ReplicaId
    this.#time = time
    this.#more = more
    const founding = id === 1 ? foundingEntries(ENSEMBLE, this.id, [makeZxid(0, 1), makeZxid(0, 2)]) : []
    this.disk = new MemoryDisk(ENSEMBLE, this.id, founding)
    this.replica = this.#open()
  }

  #open(): Replica {
    const log = new MemoryTxnLog(this.disk)
    this.ended = false
    const replica = new Replica({
      log,
      recovered: log.recover(),
      server: new Server(),
      platform: this.#time.platform(),
      listener: {
        changed: () => undefined,
        leading: () => undefined,
        notLeading: () => undefined,
        notice: (code, message) => void this.notices.push(`${code}: ${message}`),
        progress: (snapshot) => void this.progress.push(snapshot),
        ended: () => {
          this.ended = true
        },
      },
      browser: `browser ${this.id}`,
      voters: 3,
      ...this.#more,
    })
    replica.start()
    return replica
  }

  /** The page is reloaded: another replica on the same log. */
  reopen(): void {
    this.replica = this.#open()
  }

  /** This page's client. It says nothing by itself: its session lives with the replica. */
  client(): Client {
    const connect = async () => {
      const [near, far] = memoryPipe()
      this.replica.clientConnected(far, { from: 'page', address: '' })
      return near
    }
    return Client.connect(connect, { clock: this.#time, random: () => 0.5, sessionTimeout: 6000, touchedByHost: true })
  }
}

type Linked = Pick<Tab, 'id' | 'disk' | 'links' | 'replica'>

/** The product's handshake and framing over a pipe in memory. */
export async function link(a: Linked, b: Linked): Promise<void> {
  const ends = memoryLinkPair()
  const open = async (tab: Linked, end: ByteLink): Promise<void> => {
    const hello = {
      ensemble: ENSEMBLE,
      replica: tab.id,
      incarnation: tab.disk.incarnation,
      versionMin: PEER_VERSION,
      versionMax: PEER_VERSION_MAX,
      format: FORMAT_VERSION,
      browser: `browser ${tab.id}`,
      build: 'test',
    }
    const opened = await openPeerLink(end, hello, { linkId: ++links as LinkId, knownIncarnation: () => undefined })
    tab.links.push(end)
    tab.replica.linkOpened(opened)
  }
  await Promise.all([open(a, ends[0]), open(b, ends[1])])
}
let links = 0

export async function linkAll(tabs: readonly Tab[]): Promise<void> {
  for (const [i, a] of tabs.entries()) for (const b of tabs.slice(i + 1)) await link(a, b)
}
