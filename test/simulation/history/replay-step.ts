import { formatZxid } from '../../../src/base/zxid.ts'
import { ReferenceTree, type TreeChange } from './reference-tree.ts'
import { Refused, type Step } from './step.ts'
import type { History } from './types.ts'

/** Step 1: every entry can happen in the state that those before it make. The one walk along the log; the other steps look on. */
export function replay({ log }: History, steps: readonly Step[], refuse: (step: Step, why: string) => void): void {
  const tree = new ReferenceTree()
  const looking = new Set(steps)
  const show = (look: (step: Step) => void): void => {
    for (const step of looking) {
      try {
        look(step)
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        looking.delete(step)
        refuse(step, error.message)
      }
    }
  }
  show((step) => step.after?.(0, tree, []))
  for (const [at, entry] of log.entries()) {
    tree.at(entry.zxid, entry.time)
    show((step) => step.before?.(at + 1, entry, tree))
    let changes: readonly TreeChange[]
    try {
      changes = tree.apply(entry)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      throw new Refused(`${formatZxid(entry.zxid)}: ${error.message}`)
    }
    show((step) => step.after?.(at + 1, tree, changes))
  }
  show((step) => step.finish?.())
}
