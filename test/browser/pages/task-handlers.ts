import { serveTasks } from '../../../src/index.ts'

// The module jobs.js of docs/guides/tasks.md.
serveTasks<{
  readonly square: { readonly in: number; readonly out: number }
  readonly spin: { readonly in: undefined; readonly out: never }
}>({
  square: (n) => n * n,
  spin: () => {
    for (;;);
  },
})
