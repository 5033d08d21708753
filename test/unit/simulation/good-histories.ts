import { ERROR_CODES } from '../../../src/base/errors.ts'
import { watching } from './bad-watches.ts'
import {
  close,
  create,
  ephemeral,
  exists,
  get,
  multi,
  remove,
  type Story,
  sequential,
  set,
  sync,
  watchAll,
} from './story.ts'

/** Near twins of the bad ones: odd, and allowed. */
export const GOOD: readonly (readonly [title: string, tell: (story: Story) => void])[] = [
  [
    'another session reads what is past: reads are not linearizable',
    (story) => {
      const [ann, bob] = [story.client('ann'), story.client('bob')]
      const old = story.last
      bob.does(create('/a'))
      ann.hears(ann.asks(exists('/a')), { error: ERROR_CODES.NoNode }, old)
    },
  ],
  [
    'a sync that was asked for before the other write was acknowledged need not show it',
    (story) => {
      const [ann, bob] = [story.client('ann'), story.client('bob')]
      const old = story.last
      const asked = ann.asks(sync)
      bob.does(create('/a'))
      ann.hears(asked, {}, old)
    },
  ],
  [
    'two writes at one time stand in either order',
    (story) => {
      const [ann, bob] = [story.client('ann'), story.client('bob')]
      const [first, second] = [ann.asks(sequential('/a-')), bob.asks(sequential('/a-'))]
      story.commits(second)
      story.commits(first)
      ann.hears(first)
      bob.hears(second)
    },
  ],
  [
    'a write whose answer was lost is done',
    (story) => {
      const ann = story.client('ann')
      story.commits(ann.asks(create('/a', 'hers')))
      ann.loses()
      ann.connects()
      ann.does(get('/a'))
    },
  ],
  [
    'a write whose answer was lost is not done',
    (story) => {
      const ann = story.client('ann')
      ann.asks(create('/a', 'hers'))
      ann.loses()
      ann.connects()
      ann.does(exists('/a'))
    },
  ],
  [
    'two connections without an answer: the log says by itself which one wrote',
    (story) => {
      const ann = story.client('ann')
      ann.asks(create('/a', 'first'))
      ann.loses()
      ann.connects()
      const asked = ann.asks(create('/a', 'second'))
      ann.loses()
      story.commits(asked)
    },
  ],
  [
    'compare-and-set with a version that is past fails',
    (story) => {
      const ann = story.client('ann')
      ann.does(create('/a'))
      ann.does(set('/a', 'one', 0))
      ann.does(set('/a', 'two', 0))
    },
  ],
  [
    'a multi that fails has no effect and blames the right operation',
    (story) => {
      const ann = story.client('ann')
      ann.does(multi(create('/a'), remove('/b'), create('/c')))
      ann.does(exists('/a'))
    },
  ],
  [
    'a multi is one change with several events',
    (story) => {
      const [ann, bob] = watching(story, watchAll('/a', true))
      const done = bob.does(multi(create('/a/b'), set('/a/b', 'x'), remove('/a/b'), set('/a', 'y')))
      ann.isTold('NodeCreated', '/a/b', done)
      ann.isTold('NodeDataChanged', '/a/b', done)
      ann.isTold('NodeDeleted', '/a/b', done)
      ann.isTold('NodeDataChanged', '/a', done)
      ann.does(get('/a'))
      story.settled = true
    },
  ],
  [
    'an event comes before the answer that shows it',
    (story) => {
      const [ann, bob] = watching(story, get('/a', true))
      const changed = bob.does(set('/a', 'new'))
      ann.isTold('NodeDataChanged', '/a', changed)
      ann.does(get('/a'))
    },
  ],
  [
    'a one-shot watch in the place of a persistent one takes its data (ZOOKEEPER-4466)',
    (story) => {
      const [ann, bob] = watching(story, watchAll('/a'))
      ann.does(get('/a', true))
      ann.isTold('NodeDataChanged', '/a', bob.does(set('/a', 'one')))
      bob.does(set('/a', 'two'))
      ann.does(get('/a'))
    },
  ],
  [
    'what was made and deleted while a client was away is never told to its exists watch',
    (story) => {
      const [ann, bob] = watching(story, exists('/b', true))
      const since = story.last
      ann.loses()
      bob.does(create('/b'))
      bob.does(remove('/b'))
      ann.connects()
      ann.does({ kind: 'setWatches', since, data: [], exist: ['/b'], children: [], persistent: [], recursive: [] })
      ann.isTold('NodeCreated', '/b', bob.does(create('/b')))
      ann.does(exists('/b'))
      story.settled = true
    },
  ],
  [
    'a client that comes back is told what it missed',
    (story) => {
      const [ann, bob] = watching(story, get('/a', true))
      const since = story.last
      ann.loses()
      const changed = bob.does(set('/a', 'new'))
      ann.connects()
      const back = ann.asks({
        kind: 'setWatches',
        since,
        data: ['/a'],
        exist: [],
        children: [],
        persistent: [],
        recursive: [],
      })
      ann.isTold('NodeDataChanged', '/a', changed)
      ann.hears(back)
      story.settled = true
    },
  ],
  [
    'a session ends and takes its ephemerals along',
    (story) => {
      const [ann, bob] = [story.client('ann'), story.client('bob')]
      ann.does(ephemeral('/a'))
      ann.does(close)
      ann.loses()
      bob.does(exists('/a'))
    },
  ],
  [
    'a silent session is expired, and what it asked for too late is refused',
    (story) => {
      const ann = story.client('ann')
      ann.does(ephemeral('/a'))
      const asked = ann.asks(create('/b'))
      story.waits(5000)
      story.expires(ann)
      story.commits(asked, { kind: 'error', code: ERROR_CODES.SessionExpired, codes: [] })
      ann.loses()
      ann.isToldExpired()
      story.settled = true
      story.waits(60_000)
    },
  ],
  [
    'what comes over a connection that its session has left is refused',
    (story) => {
      const ann = story.client('ann')
      const asked = ann.asks(create('/a'))
      ann.loses()
      ann.connects()
      story.commits(asked, { kind: 'error', code: ERROR_CODES.SessionMoved, codes: [] })
      ann.does(exists('/a'))
    },
  ],
]
