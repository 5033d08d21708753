import { ERROR_CODES } from '../../../src/base/errors.ts'
import type { Zxid } from '../../../src/base/zxid.ts'
import { type BadHistories, children, create, exists, get, set, sync } from './story.ts'

/** What no ensemble may tell its readers. */
export const BAD_READS: BadHistories = [
  [
    3,
    'a read says what is not so at the place that it names',
    (story) => {
      const ann = story.client('ann')
      ann.does(create('/a', 'old'))
      ann.does(set('/a', 'new'))
      ann.hears(ann.asks(get('/a')), { data: 'old' })
    },
  ],
  [
    3,
    'a list of children lacks one',
    (story) => {
      const ann = story.client('ann')
      ann.does(create('/a'))
      ann.does(create('/a/b'))
      ann.hears(ann.asks(children('/a')), { children: [] })
    },
  ],
  [
    3,
    'a session reads backwards',
    (story) => {
      const [ann, bob] = [story.client('ann'), story.client('bob')]
      const old = story.last
      bob.does(create('/a'))
      ann.does(exists('/a'))
      ann.hears(ann.asks(exists('/a')), { error: ERROR_CODES.NoNode }, old)
    },
  ],
  [
    3,
    'a session reads backwards at another replica',
    (story) => {
      const [ann, bob] = [story.client('ann'), story.client('bob')]
      const old = story.last
      bob.does(create('/a'))
      ann.does(exists('/a'))
      ann.loses()
      ann.connects()
      ann.hears(ann.asks(exists('/a')), { error: ERROR_CODES.NoNode }, old)
    },
  ],
  [
    3,
    'a client does not see its own write',
    (story) => {
      const ann = story.client('ann')
      const old = story.last
      ann.does(create('/a'))
      ann.hears(ann.asks(exists('/a')), { error: ERROR_CODES.NoNode }, old)
    },
  ],
  [
    3,
    'answers come in another order than questions',
    (story) => {
      const ann = story.client('ann')
      const [first, second] = [ann.asks(exists('/a')), ann.asks(exists('/b'))]
      ann.hears(second)
      ann.hears(first)
    },
  ],
  [
    3,
    'a read shows a state that nobody ever committed',
    (story) => {
      const ann = story.client('ann')
      ann.hears(ann.asks(exists('/a')), { stat: {} }, (story.last + 5) as Zxid)
    },
  ],
  [
    3,
    'a read shows what is committed only later',
    (story) => {
      const [ann, bob] = [story.client('ann'), story.client('bob')]
      const asked = bob.asks(create('/a'))
      ann.hears(ann.asks(exists('/a')), { stat: {} }, (story.last + 1) as Zxid)
      story.commits(asked)
    },
  ],
  [
    4,
    'a sync is answered by a replica that lags',
    (story) => {
      const [ann, bob] = [story.client('ann'), story.client('bob')]
      const old = story.last
      bob.does(create('/a'))
      ann.hears(ann.asks(sync), {}, old)
    },
  ],
  [
    4,
    'a sync behind what another client has read is answered without it',
    (story) => {
      const [ann, bob, eve] = [story.client('ann'), story.client('bob'), story.client('eve')]
      const old = story.last
      story.commits(eve.asks(create('/a')))
      eve.loses()
      bob.does(exists('/a'))
      ann.hears(ann.asks(sync), {}, old)
    },
  ],
]
