import type { ReplicaId } from '../../../src/base/ids.ts'
import { Client } from '../../../src/client/client.ts'
import { memoryPipe } from '../../../src/client/memory-pipe.ts'
import { Adoption, type Orphan } from '../../../src/replica/adoption.ts'
import { Replica } from '../../../src/replica/replica.ts'
import { Server } from '../../../src/server/server.ts'
import { type MemoryDisk, MemoryTxnLog } from '../../../src/storage/memory-txn-log.ts'
import type { ByteLink } from '../../../src/transport/byte-link.ts'
import { PEER_VERSION, PEER_VERSION_MAX } from '../../../src/transport/codec.ts'
import { FORMAT_VERSION } from '../../../src/zab/membership.ts'
import { ENSEMBLE, type Tab } from './tabs.ts'
import type { VirtualTime } from './virtual-time.ts'

const LOOK_MS = 1000

/** The tab of a browser that is opened again after all of them died: its replica, and what takes up the others' votes. */
export class LastTab {
  readonly id: ReplicaId
  readonly disk: MemoryDisk
  readonly links: ByteLink[] = []
  readonly replica: Replica
  readonly adoption: Adoption
  /** Claims, in their order: `2`; and what became of them: `2 taken`, `2 held`, `2 unreadable`, `2 released`. */
  readonly story: string[] = []
  /** Held by tabs that are not dead. */
  readonly frozen = new Set<number>()
  /** Whose logs cannot be read. */
  readonly unreadable = new Set<number>()
  /** Whose logs take no writes: as if another worker had claimed them just behind us. */
  readonly failing = new Set<number>()
  readonly adopted = new Map<number, Replica>()
  /** Does the replica tell of its state? */
  tells = true
  /** Claims wait for this. */
  hurdle: Promise<void> = Promise.resolve()
  readonly #time: VirtualTime

  constructor(time: VirtualTime, id: number, disks: readonly MemoryDisk[]) {
    this.#time = time
    const diskOf = (of: number): MemoryDisk => {
      const disk = disks.find(({ replica }) => replica === of)
      if (disk === undefined) throw new Error(`no disk of ${of}`)
      return disk
    }
    const platform = time.platform()
    this.id = id as ReplicaId
    this.disk = diskOf(id)
    const log = new MemoryTxnLog(this.disk)
    const recovered = log.recover()
    const common = { platform, browser: 'the browser', voters: 3 } as const
    this.replica = new Replica({
      ...common,
      log,
      recovered,
      server: new Server(),
      listener: {
        changed: (state) => {
          if (this.tells) this.adoption.changed(state)
        },
        leading: () => undefined,
        notLeading: () => undefined,
        notice: () => undefined,
        ended: () => undefined,
      },
    })
    const held = new Set<number>()
    this.adoption = new Adoption({
      hello: {
        ensemble: ENSEMBLE,
        replica: id as ReplicaId,
        incarnation: recovered.incarnation,
        versionMin: PEER_VERSION,
        versionMax: PEER_VERSION_MAX,
        format: FORMAT_VERSION,
        browser: 'the browser',
        build: 'test',
      },
      main: this.replica,
      now: () => platform.now(),
      claim: async (orphan): Promise<Orphan | null> => {
        this.story.push(`${orphan}`)
        await this.hurdle
        if (this.frozen.has(orphan) || held.has(orphan)) {
          this.story.push(`${orphan} held`)
          return null
        }
        if (this.unreadable.has(orphan)) {
          this.story.push(`${orphan} unreadable`)
          throw new Error('of a later build')
        }
        held.add(orphan)
        this.story.push(`${orphan} taken`)
        const disk = diskOf(orphan)
        const log = new MemoryTxnLog(disk)
        if (this.failing.has(orphan)) disk.incarnation++
        const release = async (): Promise<void> => {
          held.delete(orphan)
          this.story.push(`${orphan} released`)
        }
        return { log, recovered: log.recover(), release }
      },
      make: (orphan, listener) => {
        const replica = new Replica({ ...common, ...orphan, server: new Server(), listener, adopted: true })
        this.adopted.set(orphan.recovered.replica, replica)
        return replica
      },
    })
    this.replica.start()
    platform.every(LOOK_MS, () => void this.adoption.look())
  }

  client(): Client {
    const connect = async () => {
      const [near, far] = memoryPipe()
      this.replica.clientConnected(far, { from: 'page', address: '' })
      return near
    }
    return Client.connect(connect, { clock: this.#time, random: () => 0.5, sessionTimeout: 6000, touchedByHost: true })
  }

  /** How often this was told. */
  told(what: string): number {
    return this.story.filter((one) => one === what).length
  }
}

/** As by a power cut: nothing more is heard of them, and whoever opens their logs ends them for good. */
export function die(...tabs: readonly Tab[]): void {
  for (const { links } of tabs) for (const link of links.splice(0)) link.close('its browser was killed')
}
