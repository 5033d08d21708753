import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { TaskQueue, type TaskQueueOptions } from '../../../src/tasks/task-queue.ts'
import { type Jobs, Offices } from './offices.ts'

let tabs: Offices
beforeEach(() => {
  tabs = new Offices()
})
afterEach(async () => {
  await tabs.close()
  expect(tabs.problems).toEqual([])
})

/** A schema may take its time. */
const small = z.int().refine(async (n) => n < 1000, 'too large')
const schemas = { double: { in: small.transform((n) => n + 1), out: z.int().max(100) } }

async function queueWith(options: TaskQueueOptions<Jobs>): Promise<TaskQueue<Jobs>> {
  return new TaskQueue<Jobs>(await tabs.open(10_000), 'q', options)
}

test('an input that does not fit is refused by add and by schedule, which say where', async () => {
  const queue = await queueWith({
    schemas: { double: { in: small }, slow: { in: z.object({ file: z.array(z.string()) }) } },
  })
  expect(await tabs.errorOf(queue.add('double', 1.5))).toMatchObject({
    code: 'BadArguments',
    path: 'input',
    message: expect.stringMatching(/^input of double: .*int/i),
  })
  expect(await tabs.errorOf(queue.add('double', 1000))).toMatchObject({ message: 'input of double: too large' })
  expect(await tabs.errorOf(queue.add('slow', { file: ['a', 7] } as never))).toMatchObject({
    message: expect.stringMatching(/^input of slow: file\.1: /),
  })
  const scheduled = queue.schedule('s', { every: 1000 }, { name: 'double', input: 1000 })
  expect(await tabs.errorOf(scheduled)).toMatchObject({ code: 'BadArguments', path: 'input' })
})

test('a handler gets what the schema makes of the input, and what it gives is checked', async () => {
  await tabs.dispatch()
  const queue = await queueWith({ schemas })
  const ran: number[] = []
  await tabs.until(
    queue.worker({
      double: (n) => {
        ran.push(n)
        return n * 2
      },
    }),
  )
  expect(await tabs.until((await tabs.until(queue.add('double', 4))).result())).toBe(10)
  const large = await tabs.until(queue.add('double', 99, { retry: { max: 1, backoff: { delay: 100 } } }))
  expect(await tabs.errorOf(large.result())).toMatchObject({
    code: 'TaskFailed',
    failure: { message: expect.stringMatching(/^output of double: /) },
  })
  // What a handler gives may fit the next time.
  expect(ran).toEqual([5, 100, 100])
})

test('a worker does not run what another page has let through, and it is not tried again', async () => {
  await tabs.dispatch()
  const [careless, careful] = [await queueWith({}), await queueWith({ schemas })]
  const ran: number[] = []
  await tabs.until(careful.worker({ double: (n) => ran.push(n) }))
  const task = await tabs.until(careless.add('double', 5000, { retry: { max: 5 } }))
  expect(await tabs.errorOf(task.result())).toMatchObject({
    code: 'TaskFailed',
    failure: { name: 'NonRetryable', message: 'input of double: too large' },
  })
  expect(ran).toEqual([])
})

test('what is no schema is refused by name', () => {
  const world = {} as never
  expect(() => new TaskQueue<Jobs>(world, 'q', { schemas: { double: { out: {} } } as never })).toThrow(
    expect.objectContaining({ code: 'BadArguments', path: 'schemas.double.out' }),
  )
})
