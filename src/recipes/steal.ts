import type { ZnodeClient } from '../client/api.ts'
import { ensureNode } from './parents.ts'
import { childrenOf, holders, sortPlaces } from './place.ts'
import { hasCode, settle, untilAnswered } from './retry.ts'
import { nonce, type Random } from './world.ts'

/**
 * A place before all others, in one txn with the end of those who hold. Sequence numbers count up from 0, so there is always a smaller one. Returns its path.
 */
export async function stealPlace(client: ZnodeClient, random: Random, line: string): Promise<string> {
  const prefix = `exclusive-${nonce(random)}-`
  await ensureNode(client, line, 'container')
  for (;;) {
    await settle(client, line)
    const children = await childrenOf(client, line)
    const own = children.find((name) => name.startsWith(prefix))
    if (own !== undefined) return `${line}/${own}`
    const places = sortPlaces(children)
    const sequence = Math.min(places[0]?.sequence ?? 0, 0) - 1
    const path = `${line}/${prefix}-${String(-sequence).padStart(10, '0')}`
    const held = places.slice(0, holders(places))
    try {
      await client.multi([
        ...held.map(({ name }) => ({ op: 'delete', path: `${line}/${name}` }) as const),
        { op: 'create', path, mode: 'ephemeral' },
      ])
      return path
    } catch (error) {
      // A holder has left meanwhile, the line was reaped, or the reply is lost: look again.
      if (!hasCode(error, 'NoNode', 'ConnectionLoss')) throw error
      if (hasCode(error, 'NoNode')) await ensureNode(client, line, 'container')
    }
  }
}

/** Writes into a holder's place that it is asked for. False: it is gone. */
export async function asksBack(client: ZnodeClient, path: string, reason: string): Promise<boolean> {
  try {
    await untilAnswered(client, () => client.setData(path, reason))
    return true
  } catch (error) {
    if (hasCode(error, 'NoNode')) return false
    throw error
  }
}
