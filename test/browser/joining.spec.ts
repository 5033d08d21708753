import { expect, test } from './fixtures.ts'

test('a newcomer to a large tree tells how much of it has come while it waits', async ({ tabs }) => {
  const [one, two] = await tabs(2)
  if (one === undefined || two === undefined) throw new Error('no tabs')
  // More entries than are kept in memory (LIMITS.historyEntriesMax): who comes now needs a snapshot.
  await one.evaluate(async () => {
    window.keeper = await window.tabkeeper.Keeper.open({ ensemble: 'large' })
    const data = 'x'.repeat(300)
    for (let batch = 0; batch < 42; batch++) {
      const from = batch * 500
      await Promise.all(Array.from({ length: 500 }, (_, n) => window.keeper.create(`/n${from + n}`, data)))
    }
  })
  const told = await two.evaluate(async () => {
    const told: { readonly bytes: number; readonly complete: boolean }[] = []
    window.keeper = await window.tabkeeper.Keeper.open({
      ensemble: 'large',
      onProgress: ({ what, bytes, complete }) => {
        if (what === 'snapshot') told.push({ bytes, complete })
      },
    })
    return told
  })
  expect(told.length).toBeGreaterThanOrEqual(1)
  expect(told.at(-1)).toEqual({ bytes: expect.any(Number), complete: true })
  expect(told.at(-1)?.bytes).toBeGreaterThan(21_000 * 300)
  expect(told.map(({ bytes }) => bytes)).toEqual(told.map(({ bytes }) => bytes).sort((a, b) => a - b))
  expect(await two.evaluate(async () => (await window.keeper.exists('/n20999')) !== null)).toBe(true)
  console.log(`${told.length} words about ${told.at(-1)?.bytes} bytes`)
})
