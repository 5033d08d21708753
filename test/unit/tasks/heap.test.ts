import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Heap } from '../../../src/tasks/heap.ts'

test('a heap gives its items in order, whatever pops stand between the pushes', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.integer({ min: -50, max: 50 }), fc.constant(null))), (steps) => {
      const heap = new Heap<number>((a, b) => a < b)
      let model: number[] = []
      for (const step of steps) {
        if (step === null) {
          expect(heap.peek()).toBe(model[0])
          expect(heap.pop()).toBe(model[0])
          model = model.slice(1)
        } else {
          heap.push(step)
          model = [...model, step].sort((a, b) => a - b)
        }
        expect(heap.size).toBe(model.length)
      }
    }),
  )
})
