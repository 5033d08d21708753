import type { Op } from '../client/api.ts'
import { errorOf, type PoolScope, type ToPool } from './pool-message.ts'
import { failureOf, RunEndedError } from './task-error.ts'
import type { Handler, Handlers, TaskContext, TaskMap } from './task-types.ts'

/**
 * In a module Worker that a page gives to `queue.worker`: offers these handlers. They are as those of a page, and run one at a
 * time; a run whose signal aborted and that does not end is ended with its Worker.
 */
export function serveTasks<M extends TaskMap<M>>(handlers: Handlers<M>): void {
  const scope = globalThis as unknown as PoolScope
  const byName = new Map(Object.entries(handlers) as [string, Handler<unknown, unknown>][])
  let abort = new AbortController()
  let calls = 0
  const saving = new Map<number, { readonly resolve: () => void; readonly reject: (error: Error) => void }>()
  const run = async (order: Extract<ToPool, { readonly kind: 'run' }>): Promise<void> => {
    const { name, input, id, attempt, token, checkpoint } = order
    abort = new AbortController()
    const also: Op[] = []
    const context: TaskContext = {
      ...{ id, attempt, token, checkpoint, signal: abort.signal },
      guard: () => ({ op: 'check', path: token.path, version: -1 }),
      alsoCommit: (ops) => {
        also.push(...ops)
      },
      progress: (value) => scope.postMessage({ kind: 'progress', value }),
      log: (line) => scope.postMessage({ kind: 'log', line: String(line) }),
      saveCheckpoint: (state) =>
        new Promise((resolve, reject) => {
          const call = calls++
          saving.set(call, { resolve, reject })
          scope.postMessage({ kind: 'save', call, state })
        }),
    }
    try {
      const handler = byName.get(name)
      if (handler === undefined) throw new Error(`this Worker has no handler for ${name}`)
      scope.postMessage({ kind: 'done', output: await handler(input, context), also })
    } catch (error) {
      scope.postMessage({ kind: 'failed', failure: failureOf(error) })
    }
  }
  scope.addEventListener('message', ({ data }) => {
    const order = data as ToPool
    if (order.kind === 'run') void run(order)
    else if (order.kind === 'abort') abort.abort(new RunEndedError(order.code, order.message))
    else {
      const call = saving.get(order.call)
      saving.delete(order.call)
      if (order.failure === null) call?.resolve()
      else call?.reject(errorOf(order.failure))
    }
  })
  scope.postMessage({ kind: 'ready', names: [...byName.keys()] })
}
