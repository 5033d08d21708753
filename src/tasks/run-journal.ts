import { utf8 } from '../base/bytes.ts'
import { KeeperError } from '../base/errors.ts'
import type { Clock } from '../client/clock.ts'
import type { TaskRecord } from './task-record.ts'

const PROGRESS_BYTES: number = 4 * 1024
const CHECKPOINT_BYTES: number = 16 * 1024
const LOG_LINES = 50
const LOG_LINE = 300
/** Milliseconds between two writes of progress and log. */
const WRITE_EVERY = 1000

/** JSON as others will read it. */
function checked(argument: string, value: unknown, limit: number): unknown {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (cause) {
    throw new KeeperError('BadArguments', `${argument} cannot be written as JSON`, { path: argument, cause })
  }
  if (text === undefined) return undefined
  if (utf8(text).length > limit) {
    throw new KeeperError('TooLarge', `${argument} is over the limit of ${limit} bytes`, { path: argument })
  }
  return JSON.parse(text) as unknown
}

/** What a handler says while it runs, until it is written into the record. */
export class RunJournal {
  readonly #clock: Clock
  readonly #write: () => Promise<void>
  #progress: unknown
  #checkpoint: unknown
  #log: string[]
  #dirty = false
  #timer: (() => void) | null = null
  #last: number
  #writing: Promise<void> = Promise.resolve()

  /** `write` commits `into` of the record; it rejects when the run has ended. */
  constructor(clock: Clock, before: TaskRecord, write: () => Promise<void>) {
    this.#clock = clock
    this.#write = write
    this.#progress = before.progress
    this.#checkpoint = before.checkpoint
    this.#log = [...before.log]
    this.#last = clock.now() - WRITE_EVERY
  }

  /** The record with all that was said so far. */
  into(record: TaskRecord): TaskRecord {
    return { ...record, progress: this.#progress, checkpoint: this.#checkpoint, log: this.#log }
  }

  progress(value: unknown): void {
    this.#progress = checked('progress', value, PROGRESS_BYTES)
    this.#soon()
  }

  log(line: string): void {
    this.#log = [...this.#log, String(line).slice(0, LOG_LINE).toWellFormed()].slice(-LOG_LINES)
    this.#soon()
  }

  save(state: unknown): Promise<void> {
    this.#checkpoint = checked('checkpoint', state, CHECKPOINT_BYTES)
    return this.#now()
  }

  /** Nothing more is written by itself, and nothing is under way when it resolves. */
  async stop(): Promise<void> {
    this.#timer?.()
    this.#timer = null
    this.#dirty = false
    await this.#writing.catch(() => {})
  }

  #soon(): void {
    this.#dirty = true
    if (this.#timer !== null) return
    const wait = Math.max(0, this.#last + WRITE_EVERY - this.#clock.now())
    this.#timer = this.#clock.after(wait, () => {
      this.#timer = null
      // A run that has lost its lease hears so by its signal.
      if (this.#dirty) this.#now().catch(() => {})
    })
  }

  /** One write after the other; each has all that was said before it began. */
  #now(): Promise<void> {
    const write = this.#writing
      .catch(() => {})
      .then(() => {
        this.#dirty = false
        this.#last = this.#clock.now()
        return this.#write()
      })
    this.#writing = write
    return write
  }
}
