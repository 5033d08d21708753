import { expect, test } from './fixtures.ts'
import { open } from './in-page.ts'
import { runWebLocks } from './web-locks-body.ts'

test('the same body gives the same on navigator.locks and on keeper.locks', async ({ tabs }) => {
  const [page] = await tabs(1)
  if (page === undefined) throw new Error('no page')
  await open(page, 'locks')
  const results = [await page.evaluate(runWebLocks, 'navigator'), await page.evaluate(runWebLocks, 'keeper')] as const
  expect(results[0]).toEqual({
    'the callback’s value is the result, also where it is no promise': [7, 'later', undefined],
    'the lock tells its name and mode': ['exclusive', 'shared'],
    'what the callback throws is what the promise rejects with, and the lock is free': [[true, true], true],
    'exclusive ones come one after the other, in the order of asking': [1, 2, 3],
    'shared ones come together; an exclusive one waits for them, and later ones for it': [
      'released',
      'writer',
      'reader',
    ],
    'ifAvailable gives null instead of waiting, behind holders and behind those who wait': [
      false,
      true,
      false,
      false,
      true,
    ],
    'a lock that is stolen: its request rejects, those who wait wait on': [['thief', 'waited'], 'AbortError'],
    'the last thief wins': ['second', 'AbortError'],
    'a signal that is aborted already ends the request with its reason': ['my dog ate it', 'AbortError'],
    'a signal ends the waiting with its reason, and the next one gets the lock': ['enough', 'third'],
    'a signal that aborts at once ends the request, although the lock is free': ['AbortError', false, 'free'],
    'a signal does not end what is held': 'kept',
    'query tells who holds and who waits, with name, mode and clientId': [
      ['exclusive'],
      ['shared', 'shared'],
      1,
      true,
      [],
    ],
    'bad calls are refused, and take nothing': [Array.from({ length: 8 }, () => true), true],
  })
  expect(results[1]).toEqual(results[0])
})
