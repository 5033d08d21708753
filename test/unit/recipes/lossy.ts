import type { Fate, Tabs } from './tabs.ts'

/** Cuts the connection at so many of the frames, half of them before and half after the server has heard. */
export const lossy = (tabs: Tabs, share: number) => (): Fate => {
  const drawn = tabs.draw()
  if (drawn >= share) return 'passes'
  return drawn < share / 2 ? 'cut before' : 'cut after'
}

/** What it rejects with, or "resolved". */
export const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => (error as { code?: unknown }).code ?? error,
  )
