import { type BadHistories, children, create, exists, get, remove, type Story, set, watchAll } from './story.ts'

/** What no ensemble may tell, or leave untold, to those who watch. */
export const BAD_WATCHES: BadHistories = [
  [
    5,
    'an answer shows a change before its event',
    (story) => {
      const [ann, bob] = watching(story, get('/a', true))
      bob.does(set('/a', 'new'))
      ann.does(get('/a'))
      ann.isTold('NodeDataChanged', '/a')
    },
  ],
  [
    5,
    'an answer about something else comes before the event',
    (story) => {
      const [ann, bob] = watching(story, get('/a', true))
      const changed = bob.does(set('/a', 'new'))
      bob.does(create('/b'))
      ann.does(exists('/b'))
      ann.isTold('NodeDataChanged', '/a', changed)
    },
  ],
  [
    5,
    "a client's own write is acknowledged before the event that it causes",
    (story) => {
      const [ann] = watching(story, get('/a', true))
      const changed = ann.does(set('/a', 'new'))
      ann.isTold('NodeDataChanged', '/a', changed)
    },
  ],
  [
    5,
    'an event never comes',
    (story) => {
      const [, bob] = watching(story, get('/a', true))
      bob.does(set('/a', 'new'))
      story.settled = true
    },
  ],
  [
    5,
    'a one-shot watch tells of two changes',
    (story) => {
      const [ann, bob] = watching(story, get('/a', true))
      ann.isTold('NodeDataChanged', '/a', bob.does(set('/a', 'one')))
      ann.isTold('NodeDataChanged', '/a', bob.does(set('/a', 'two')))
    },
  ],
  [
    5,
    'one change is told twice',
    (story) => {
      const [ann, bob] = watching(story, watchAll('/a'))
      const changed = bob.does(set('/a', 'one'))
      ann.isTold('NodeDataChanged', '/a', changed)
      ann.isTold('NodeDataChanged', '/a', changed)
    },
  ],
  [
    5,
    'a client is told of what it does not watch',
    (story) => {
      const [ann, bob] = watching(story, get('/a', false))
      ann.isTold('NodeDataChanged', '/a', bob.does(set('/a', 'one')))
    },
  ],
  [
    5,
    'a watch for data tells of a child',
    (story) => {
      const [ann, bob] = watching(story, get('/a', true))
      ann.isTold('NodeChildrenChanged', '/a', bob.does(create('/a/b')))
    },
  ],
  [
    5,
    'a deletion is told as a change',
    (story) => {
      const [ann, bob] = watching(story, get('/a', true))
      ann.isTold('NodeDataChanged', '/a', bob.does(remove('/a')))
    },
  ],
  [
    5,
    'events come in another order than their changes',
    (story) => {
      const [ann, bob] = watching(story, watchAll('/a'))
      const [first, second] = [bob.does(set('/a', 'one')), bob.does(create('/a/b'))]
      ann.isTold('NodeChildrenChanged', '/a', second)
      ann.isTold('NodeDataChanged', '/a', first)
    },
  ],
  [
    5,
    'a persistent watch leaves out a change',
    (story) => {
      const [ann, bob] = watching(story, watchAll('/a'))
      bob.does(set('/a', 'one'))
      ann.isTold('NodeDataChanged', '/a', bob.does(set('/a', 'two')))
    },
  ],
  [
    5,
    'a recursive watch tells that children changed',
    (story) => {
      const [ann, bob] = watching(story, watchAll('/a', true))
      const made = bob.does(create('/a/b'))
      ann.isTold('NodeCreated', '/a/b', made)
      ann.isTold('NodeChildrenChanged', '/a', made)
    },
  ],
  [
    5,
    'a client that comes back is not told what it missed',
    (story) => {
      const [ann, bob] = watching(story, get('/a', true))
      const seen = story.last
      ann.loses()
      bob.does(set('/a', 'new'))
      ann.connects()
      ann.does({
        kind: 'setWatches',
        since: seen,
        data: ['/a'],
        exist: [],
        children: [],
        persistent: [],
        recursive: [],
      })
    },
  ],
  [
    5,
    'a client that comes back is told of what it has seen already',
    (story) => {
      const [ann] = watching(story, children('/a', true))
      const seen = story.last
      ann.loses()
      ann.connects()
      const back = ann.asks({
        kind: 'setWatches',
        since: seen,
        data: [],
        exist: [],
        children: ['/a'],
        persistent: [],
        recursive: [],
      })
      ann.isTold('NodeChildrenChanged', '/a', seen)
      ann.hears(back)
    },
  ],
]

/** Bob has made /a; ann asks, perhaps watching. */
export function watching(story: Story, asks: Parameters<ReturnType<Story['client']>['does']>[0]) {
  const [ann, bob] = [story.client('ann'), story.client('bob')]
  bob.does(create('/a'))
  ann.does(asks)
  return [ann, bob] as const
}
