import type { Op, ZnodeClient } from '../client/api.ts'
import { ensureNode } from './parents.ts'
import { findPlace, forgetPlace, holders, type Place, sortPlaces } from './place.ts'
import { aborted, hasCode, untilAnswered } from './retry.ts'
import { nonce, type Random } from './world.ts'

/**
 * A place before all others, in one txn with the end of those who hold. Sequence numbers count up from 0, so there is always a smaller one. Returns its
 * path.
 */
export async function stealPlace(
  client: ZnodeClient,
  random: Random,
  line: string,
  signal?: AbortSignal,
): Promise<string> {
  const prefix = `exclusive-${nonce(random)}-`
  try {
    await ensureNode(client, line, 'container', signal)
    for (;;) {
      // Also after a lost reply: our place is found instead of a second one made.
      const own = await findPlace(client, line, prefix, signal)
      if (own !== null) return own
      try {
        const { children, stat } = await untilAnswered(client, (options) => client.getChildren(line, options), signal)
        const places = sortPlaces(children)
        const sequence = Math.min(places[0]?.sequence ?? 0, 0) - 1
        const path = `${line}/${prefix}-${String(-sequence).padStart(10, '0')}`
        const created = (stat.cversion + stat.numChildren) / 2
        const held = places
          .slice(0, holders(places))
          .map((place): Op => ({ op: 'delete', path: `${line}/${place.name}` }))
        const ops: Op[] = [
          ...nobodyElseHolds(line, places, created, `${line}/steal-${prefix}`),
          ...held,
          { op: 'create', path, mode: 'ephemeral' },
        ]
        await client.multi(ops, signal === undefined ? {} : { signal })
        return path
      } catch (error) {
        // Somebody has come or gone meanwhile, the line was reaped, or the reply is lost: look again.
        if (!hasCode(error, 'NoNode', 'NodeExists', 'ConnectionLoss')) throw error
        if (hasCode(error, 'NoNode')) await ensureNode(client, line, 'container', signal)
      }
    }
  } catch (error) {
    if (!signal?.aborted) throw error
    forgetPlace(client, line, prefix)
    throw aborted(signal)
  }
}

/**
 * Refuses the txn if somebody holds whom we did not see. Behind an exclusive holder nobody does, nor behind one who waits for an exclusive place. Else
 * whoever comes holds at once, so none may have come: a new sequential node must get the number that the children's count of creations foretells.
 */
function nobodyElseHolds(line: string, places: readonly Place[], created: number, probe: string): readonly Op[] {
  const waiting = places[holders(places)]
  if (places[0]?.mode === 'exclusive') return []
  if (waiting !== undefined) return [{ op: 'check', path: `${line}/${waiting.name}` }]
  return [
    { op: 'create', path: probe, mode: 'ephemeralSequential' },
    { op: 'delete', path: `${probe}${String(created).padStart(10, '0')}` },
  ]
}

/** Writes into a holder's place that it is asked for. False: it is gone. */
export async function asksBack(
  client: ZnodeClient,
  path: string,
  reason: string,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    await untilAnswered(client, (options) => client.setData(path, reason, options), signal)
    return true
  } catch (error) {
    if (hasCode(error, 'NoNode')) return false
    throw error
  }
}
