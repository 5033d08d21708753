// A process with one session that works on a queue and dispatches it: `task-process.ts <tcp|ws> <port> <name>`. It ends by a signal.
import type { Connector } from '../../src/client/frame-pipe.ts'
import { Dispatcher } from '../../src/tasks/dispatcher.ts'
import { TaskQueue } from '../../src/tasks/task-queue.ts'
import { connected, overTcp, overWebSocket } from './clients.ts'
import { type Jobs, outcomeOf, QUEUE, taskWorld, WON } from './task-load.ts'

const [kind, port, name] = process.argv.slice(2)
const connector: Connector = kind === 'tcp' ? overTcp(Number(port)) : overWebSocket(Number(port))
const world = taskWorld(await connected(connector, { sessionTimeout: 4000 }))
await new Dispatcher(world, { onProblem: console.error }).start()
await new TaskQueue<Jobs>(world, QUEUE).worker(
  {
    job: async (n, context) => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      const outcome = outcomeOf(n)
      if (outcome === 'fails' || (outcome === 'fails at first' && context.attempt === 0)) throw new Error(outcome)
      context.alsoCommit([{ op: 'create', path: `${WON}/${n}-`, data: name ?? '', mode: 'persistentSequential' }])
      return n * 2
    },
  },
  { slots: 4 },
)
console.log('works')
