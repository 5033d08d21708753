import { expect, test } from 'vitest'
import { checkWord } from '../../../src/tasks/names.ts'
import { bucketOf, QueuePaths } from '../../../src/tasks/queue-paths.ts'

const queue = new QueuePaths('render')

test('every path of a queue is told for what it is', () => {
  expect(queue.parse(queue.record('a.b-1'))).toEqual({ kind: 'record', id: 'a.b-1' })
  expect(queue.parse(queue.lease('w1', 'a.b', 3))).toEqual({ kind: 'lease', wid: 'w1', id: 'a.b', attempt: 3 })
  expect(queue.parse(queue.worker('w1'))).toEqual({ kind: 'worker', wid: 'w1' })
  expect(queue.parse(queue.mailbox('w1'))).toEqual({ kind: 'mailbox', wid: 'w1' })
  expect(queue.parse(queue.lead)).toEqual({ kind: 'lead' })
  expect(queue.parse(queue.root)).toEqual({ kind: 'config' })
  expect(queue.parse(queue.schedule('s1'))).toEqual({ kind: 'schedule', sid: 's1' })
  for (const path of [
    queue.stat,
    queue.ctl,
    queue.tasks,
    queue.bucket(3),
    `${queue.root}/a/w1/x`,
    `${queue.root}/a/w1/x.01`,
  ]) {
    expect(queue.parse(path), path).toEqual({ kind: 'other' })
  }
  const wrong = bucketOf('x') === '00' ? '01' : '00'
  expect(queue.parse(`${queue.tasks}/${wrong}/x`), 'a record in the wrong bucket').toEqual({ kind: 'other' })
})

test('ids spread over the buckets', () => {
  const count = new Map<string, number>()
  for (let i = 0; i < 25_600; i++) {
    const bucket = bucketOf(`0123456789abcdef-${i.toString(36).padStart(6, '0')}`)
    count.set(bucket, (count.get(bucket) ?? 0) + 1)
  }
  expect(count.size).toBe(256)
  expect(Math.max(...count.values())).toBeLessThan(250)
})

test('a name that cannot be one path element is refused', () => {
  for (const name of ['', '.', '..', 'a/b', '-a', 'x'.repeat(129), 'zookeeper', 'a b', 7, undefined]) {
    expect(() => checkWord('name', name), String(name)).toThrow(/^name must be/)
  }
  expect(checkWord('name', 'Ab_1.x:y@z-9')).toBe('Ab_1.x:y@z-9')
})
