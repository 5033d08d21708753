import { describe, expect, it } from 'vitest'
import { judge } from '../../simulation/history/check.ts'
import type { TaskHistory } from '../../simulation/history/types.ts'
import { BAD_READS } from './bad-reads.ts'
import { BAD_SESSIONS } from './bad-sessions.ts'
import { BAD_WATCHES } from './bad-watches.ts'
import { BAD_WRITES } from './bad-writes.ts'
import { GOOD } from './good-histories.ts'
import { Story } from './story.ts'

describe('a bad history is refused by the step that is there for it, and by no other', () => {
  it.each([...BAD_WRITES, ...BAD_READS, ...BAD_WATCHES, ...BAD_SESSIONS])('step %d: %s', (step, _, tell) => {
    const story = new Story()
    tell(story)
    expect(judge(story.history()).map((one) => [one.step, one.why])).toEqual([[step, expect.any(String)]])
  })
})

describe('a good history is refused by nobody', () => {
  it.each(GOOD)('%s', (_, tell) => {
    const story = new Story()
    tell(story)
    expect(judge(story.history())).toEqual([])
  })
})

const done: TaskHistory = {
  submitted: ['t1', 't2'],
  open: ['t2'],
  completed: [{ task: 't1', fence: 7 }],
  effects: [
    { task: 't1', fence: 5, accepted: false },
    { task: 't1', fence: 7, accepted: true },
    { task: 't1', fence: 6, accepted: false },
  ],
}

describe('step 7: tasks', () => {
  const refused = (tasks: TaskHistory): number[] => judge({ ...new Story().history(), tasks }).map(({ step }) => step)

  it('may be attempted often, and have one effect, under the fence of their completion', () => {
    expect(refused(done)).toEqual([])
  })

  it.each<[string, Partial<TaskHistory>]>([
    ['an acknowledged task is gone', { open: [] }],
    ['a task is completed twice', { completed: [...done.completed, { task: 't1', fence: 8 }] }],
    ['a task has its effect twice', { effects: [...done.effects, { task: 't1', fence: 8, accepted: true }] }],
    [
      'a zombie has its effect behind its successor',
      { effects: [...done.effects].reverse().map((one) => ({ ...one, accepted: one.fence === 5 })) },
    ],
    ['a task is completed under the fence of another attempt', { completed: [{ task: 't1', fence: 6 }] }],
  ])('%s', (_, change) => {
    expect(refused({ ...done, ...change })).toEqual([7])
  })
})
