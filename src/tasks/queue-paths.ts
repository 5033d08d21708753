import { isWord } from './names.ts'

/** All queues live below this node. */
export const QUEUES_ROOT = '/tk/q'
export const BUCKETS = 256

/** What a path within a queue is. */
export type QueuePlace =
  | { readonly kind: 'record'; readonly id: string }
  | { readonly kind: 'lease'; readonly wid: string; readonly id: string; readonly attempt: number }
  | { readonly kind: 'worker'; readonly wid: string }
  | { readonly kind: 'mailbox'; readonly wid: string }
  | { readonly kind: 'schedule'; readonly sid: string }
  | { readonly kind: 'config' }
  | { readonly kind: 'poke' }
  | { readonly kind: 'lead' }
  | { readonly kind: 'other' }

/** FNV-1a, folded to the 256 buckets that keep every directory short. */
export function bucketOf(id: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  return bucketName((hash ^ (hash >>> 8) ^ (hash >>> 16) ^ (hash >>> 24)) & 0xff)
}

export const bucketName = (index: number): string => index.toString(16).padStart(2, '0')

/** The name is unique for ever: the attempt grows in the same transaction that removes a lease. */
export const leaseName = (id: string, attempt: number): string => `${id}.${attempt}`

/** The task of a schedule for one of its times. */
export const firedId = (sid: string, slot: number): string => `${sid}@${slot}`

export function parseLease(name: string): { readonly id: string; readonly attempt: number } | null {
  const cut = name.lastIndexOf('.')
  const id = name.slice(0, cut)
  const attempt = name.slice(cut + 1)
  return cut > 0 && isWord(id) && /^(0|[1-9][0-9]{0,14})$/.test(attempt) ? { id, attempt: Number(attempt) } : null
}

/** The queue's nodes: `lead` (ephemeral: who dispatches), `ctl` (its version is the fence), `t` records, `w` workers, `a` mailboxes with leases, `x` failed tasks, `d` deduplication keys, `s` schedules; its own data is the configuration. */
export class QueuePaths {
  readonly name: string
  readonly root: string
  readonly lead: string
  readonly ctl: string
  readonly stat: string
  readonly tasks: string
  readonly workers: string
  readonly mailboxes: string
  /** One child for each failed task. */
  readonly dead: string
  readonly keys: string
  readonly schedules: string
  /** Written to by who wants the statistics brought up to date. */
  readonly poke: string

  constructor(name: string) {
    this.name = name
    this.root = `${QUEUES_ROOT}/${name}`
    this.lead = `${this.root}/lead`
    this.ctl = `${this.root}/ctl`
    this.stat = `${this.root}/stat`
    this.tasks = `${this.root}/t`
    this.workers = `${this.root}/w`
    this.mailboxes = `${this.root}/a`
    this.dead = `${this.root}/x`
    this.keys = `${this.root}/d`
    this.schedules = `${this.root}/s`
    this.poke = `${this.root}/poke`
  }

  record(id: string): string {
    return `${this.tasks}/${bucketOf(id)}/${id}`
  }

  bucket(index: number): string {
    return `${this.tasks}/${bucketName(index)}`
  }

  deadLetter(id: string): string {
    return `${this.dead}/${id}`
  }

  /** Of a deduplication key; it has the id of the latest task. */
  key(key: string): string {
    return `${this.keys}/${bucketOf(key)}/${key}`
  }

  keyBucket(index: number): string {
    return `${this.keys}/${bucketName(index)}`
  }

  schedule(sid: string): string {
    return `${this.schedules}/${sid}`
  }

  worker(wid: string): string {
    return `${this.workers}/${wid}`
  }

  mailbox(wid: string): string {
    return `${this.mailboxes}/${wid}`
  }

  lease(wid: string, id: string, attempt: number): string {
    return `${this.mailboxes}/${wid}/${leaseName(id, attempt)}`
  }

  parse(path: string): QueuePlace {
    const [, , , , room, first, second, ...more] = path.split('/')
    if (room === undefined && path === this.root) return { kind: 'config' }
    if (first === undefined && (room === 'lead' || room === 'poke')) return { kind: room }
    if (first === undefined || more.length > 0) return { kind: 'other' }
    if (room === 't' && second !== undefined && isWord(second) && bucketOf(second) === first) {
      return { kind: 'record', id: second }
    }
    if (room === 'w' && second === undefined) return { kind: 'worker', wid: first }
    if (room === 's' && second === undefined && isWord(first)) return { kind: 'schedule', sid: first }
    if (room !== 'a') return { kind: 'other' }
    if (second === undefined) return { kind: 'mailbox', wid: first }
    const lease = parseLease(second)
    return lease === null ? { kind: 'other' } : { kind: 'lease', wid: first, ...lease }
  }
}
