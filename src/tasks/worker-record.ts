import { fromUtf8, utf8 } from '../base/bytes.ts'
import { KeeperError } from '../base/errors.ts'
import { isLabels, type Labels } from './names.ts'

/** What a worker says about itself in its ephemeral node. */
export interface WorkerRecord {
  /** Tasks that it runs at a time; 0: it takes no more. */
  readonly slots: number
  readonly labels: Labels
  /** The task names that it has handlers for. */
  readonly names: readonly string[]
}

export const SLOTS_MAX = 1024

export const encodeWorker = (worker: WorkerRecord): Uint8Array<ArrayBuffer> => utf8(JSON.stringify({ v: 1, ...worker }))

/** MarshallingError where another page wrote something else. */
export function decodeWorker(bytes: Uint8Array | null): WorkerRecord {
  try {
    const { slots, labels, names } = JSON.parse(fromUtf8(bytes ?? new Uint8Array(0))) as Partial<WorkerRecord>
    const slotsFine = Number.isSafeInteger(slots) && (slots as number) >= 0 && (slots as number) <= SLOTS_MAX
    const namesFine = Array.isArray(names) && names.every((name) => typeof name === 'string')
    if (slotsFine && namesFine && isLabels(labels)) return { slots: slots as number, labels, names }
  } catch (cause) {
    throw new KeeperError('MarshallingError', 'not a worker record', { cause })
  }
  throw new KeeperError('MarshallingError', 'not a worker record')
}
