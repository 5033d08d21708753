import { Keeper, type TaskHandle, type TaskQueue, type TaskType } from '../../src/index.ts'
import { measureTasks, type NoopQueue } from '../task-load.ts'

interface Jobs {
  readonly noop: TaskType<number, number>
}

let keeper: Keeper
let queue: TaskQueue<Jobs>

/** More than a bulk may take; no result of a healthy run comes near it. */
const WAIT_MS = 60_000

const ended = (task: TaskHandle<number>): Promise<void> => task.result({ timeout: WAIT_MS }).then(() => undefined)

const noops: NoopQueue = {
  one: async () => ended(await queue.add('noop', 1)),
  many: async (count) => {
    const items = Array.from({ length: count }, () => ({ name: 'noop', input: 1 }) as const)
    return (await queue.addAll(items)).map(ended)
  },
  async transactions() {
    const [, counter = ''] = (await keeper.inspect()).zxid.committed.split(':')
    return Number.parseInt(counter, 16)
  },
}

window.taskBench = {
  async open(ensemble, slots) {
    keeper = await Keeper.open({ ensemble })
    queue = keeper.queue<Jobs>('bench')
    await queue.worker({ noop: (n) => n }, { slots })
  },
  async state() {
    const { role, voters } = await keeper.inspect()
    return { role, voters: voters.length }
  },
  run: (load) => measureTasks(noops, load),
}
