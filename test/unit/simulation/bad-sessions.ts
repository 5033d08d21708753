import { ERROR_CODES } from '../../../src/base/errors.ts'
import { type BadHistories, close, create, ephemeral, exists } from './story.ts'

/** How no session may end, or go on. */
export const BAD_SESSIONS: BadHistories = [
  [
    1,
    'a replica keeps an ephemeral whose owner is gone',
    (story) => {
      const ann = story.client('ann')
      ann.does(ephemeral('/a'))
      const ended = ann.does(close)
      story.states.push({ replica: 1, zxid: ended, znodes: story.tree.size + 1, sessions: [] })
    },
  ],
  [
    1,
    'a replica keeps a session that is over',
    (story) => {
      const ann = story.client('ann')
      const ended = ann.does(close)
      const sessions = [{ id: ann.session, ephemerals: 0 }]
      story.states.push({ replica: 1, zxid: ended, znodes: story.tree.size, sessions })
    },
  ],
  [
    6,
    'a session ends and leaves an ephemeral',
    (story) => {
      const ann = story.client('ann')
      ann.does(ephemeral('/a'))
      ann.does(ephemeral('/b'))
      const asked = ann.asks(close)
      story.commits(asked, { kind: 'closeSession', paths: ['/a'] })
      ann.hears(asked)
    },
  ],
  [
    6,
    'a session takes along what is not its own',
    (story) => {
      const [ann, bob] = [story.client('ann'), story.client('bob')]
      bob.does(create('/b'))
      const asked = ann.asks(close)
      story.commits(asked, { kind: 'closeSession', paths: ['/b'] })
      ann.hears(asked)
    },
  ],
  [
    6,
    'a session acts behind its end',
    (story) => {
      const ann = story.client('ann')
      const asked = ann.asks(create('/a'))
      story.waits(5000)
      story.expires(ann)
      story.commits(asked)
      ann.loses()
    },
  ],
  [
    6,
    'a session acts over a connection that it has left',
    (story) => {
      const ann = story.client('ann')
      const asked = ann.asks(create('/a'))
      ann.loses()
      ann.connects()
      story.commits(asked)
    },
  ],
  [
    6,
    'a client is told of an end that did not happen',
    (story) => {
      const ann = story.client('ann')
      ann.does(create('/a'))
      ann.loses()
      ann.isToldExpired()
    },
  ],
  [
    6,
    'a client goes on behind the end that it was told of',
    (story) => {
      const ann = story.client('ann')
      const asked = ann.asks(exists('/a'))
      const old = story.last
      story.waits(5000)
      story.expires(ann)
      ann.isToldExpired()
      ann.hears(asked, { error: ERROR_CODES.NoNode }, old)
    },
  ],
  [
    6,
    'a read is answered behind the end of its session',
    (story) => {
      const ann = story.client('ann')
      const asked = ann.asks(exists('/a'))
      story.waits(5000)
      story.expires(ann)
      ann.hears(asked)
    },
  ],
  [
    6,
    'a session is expired that wrote a moment ago',
    (story) => {
      const ann = story.client('ann')
      ann.does(create('/a'))
      story.waits(500)
      story.expires(ann)
      ann.loses()
    },
  ],
  [
    6,
    'a session is silent and never ends',
    (story) => {
      const ann = story.client('ann')
      ann.does(create('/a'))
      ann.loses()
      story.settled = true
      story.waits(60_000)
    },
  ],
]
