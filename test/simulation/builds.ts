import { configOf } from '../../src/zab/history.ts'
import { formatOf, votersOf } from '../../src/zab/membership.ts'
import type { Node } from './node.ts'
import { Violation } from './violation.ts'

/** F1: a replica of an older build may find the log's format raised, but only if it had no vote meanwhile: who votes is asked before. */
export function demandAsked(stopped: Node, nodes: readonly Node[]): void {
  for (const { replica } of nodes) {
    const config = replica === null ? null : configOf(replica.peer.history)
    if (config !== null && formatOf(config) > stopped.format && votersOf(config).includes(stopped.id))
      throw new Violation('F1', `replica ${stopped.id} votes, and the log's format was raised without asking it`)
  }
}
