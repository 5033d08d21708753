import { type ErrorCode, KeeperError } from '../base/errors.ts'
import type { CallOptions, ZnodeClient } from '../client/api.ts'

/** Is it a KeeperError with one of these codes? */
export const hasCode = (error: unknown, ...codes: readonly ErrorCode[]): error is KeeperError =>
  error instanceof KeeperError && codes.includes(error.code)

/** The session is over, by expiry or by its owner: nothing of this client will work again. */
export const sessionIsOver = (error: unknown): boolean => hasCode(error, 'SessionExpired', 'Closed', 'AuthFailed')

export const aborted = (signal: AbortSignal): KeeperError =>
  signal.reason instanceof KeeperError
    ? signal.reason
    : new KeeperError('Aborted', 'the wait was aborted', { cause: signal.reason })

const overNow = (client: ZnodeClient): KeeperError | null => {
  if (client.state === 'lost') return new KeeperError('SessionExpired')
  return client.state === 'closed' ? new KeeperError('Closed') : null
}

/** Waits for the connection. Rejects with SessionExpired or Closed when there will be none, Aborted by the signal. */
export async function untilConnected(client: ZnodeClient, signal?: AbortSignal): Promise<void> {
  const unsubscribe = new AbortController()
  try {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        const over = overNow(client)
        if (over !== null) reject(over)
        else if (client.state === 'connected') resolve()
      }
      if (signal?.aborted) return reject(aborted(signal))
      signal?.addEventListener('abort', () => reject(aborted(signal)), { signal: unsubscribe.signal })
      client.onState(look, { signal: unsubscribe.signal })
      look()
    })
  } finally {
    unsubscribe.abort()
  }
}

/**
 * Repeats an idempotent step for as long as its outcome is lost with the connection. A step that hands its options to the client ends by the signal
 * even where there is no connection; what it wrote may still be applied then.
 */
export async function untilAnswered<T>(
  client: ZnodeClient,
  step: (options: CallOptions) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const options = signal === undefined ? {} : { signal }
  for (;;) {
    try {
      return await step(options)
    } catch (error) {
      if (signal?.aborted && hasCode(error, 'Aborted')) throw aborted(signal)
      if (!hasCode(error, 'ConnectionLoss')) throw error
    }
    await untilConnected(client, signal)
  }
}

/**
 * After a write with an unknown outcome: once this resolves, a read of this session shows whether it was applied, and it
 * will not be applied later. (A request that was still on its way behind the old connection is refused: the session has moved.)
 */
export const settle = (client: ZnodeClient, path: string, signal?: AbortSignal): Promise<void> =>
  untilAnswered(client, (options) => client.sync(path, options), signal)
