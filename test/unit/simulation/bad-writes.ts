import { ERROR_CODES } from '../../../src/base/errors.ts'
import type { SessionId } from '../../../src/base/ids.ts'
import type { Zxid } from '../../../src/base/zxid.ts'
import type { LogEntry } from '../../simulation/history/types.ts'
import { type BadHistories, create, ephemeral, multi, remove, sequential, set } from './story.ts'

const NOBODY = 0n as SessionId

/** What no ensemble may do to its log and its writers, and the step that must say so. */
export const BAD_WRITES: BadHistories = [
  [
    0,
    'an entry stands behind a later one',
    (story) => {
      story.client('ann').does(create('/a'))
      story.log.reverse()
    },
  ],
  [
    0,
    'a request that was sent again is applied twice',
    (story) => {
      const ann = story.client('ann')
      const asked = ann.asks(sequential('/a-'))
      story.commits(asked)
      story.commits(asked)
    },
  ],
  [
    0,
    'two replicas delivered different things at one place',
    (story) => {
      const ann = story.client('ann')
      ann.does(create('/a', 'one'))
      const other: LogEntry[] = story.log.map((entry) =>
        entry.body.kind === 'create' ? { ...entry, body: { ...entry.body, data: 'other' } } : entry,
      )
      story.feeds.push({ replica: 1, entries: story.log.slice() }, { replica: 2, entries: other })
    },
  ],
  [
    0,
    'a replica left an entry out',
    (story) => {
      const ann = story.client('ann')
      ann.does(create('/a'))
      ann.does(create('/b'))
      story.feeds.push({ replica: 1, entries: [...story.log.slice(0, 1), ...story.log.slice(2)] })
    },
  ],
  [
    1,
    'a node is created that is there',
    (story) => {
      story.client('ann').does(create('/a'))
      story.commit({ kind: 'create', path: '/a', data: null, owner: NOBODY, parentCreates: 2 })
    },
  ],
  [
    1,
    'a node is deleted that is not there',
    (story) => {
      story.commit({ kind: 'delete', path: '/a' })
    },
  ],
  [
    1,
    'a node is deleted under its children',
    (story) => {
      const ann = story.client('ann')
      ann.does(create('/a'))
      ann.does(create('/a/b'))
      story.commit({ kind: 'delete', path: '/a' })
    },
  ],
  [
    1,
    'a version is left out',
    (story) => {
      story.client('ann').does(create('/a'))
      story.commit({ kind: 'setData', path: '/a', data: 'x', version: 2 })
    },
  ],
  [
    1,
    'two children have one number',
    (story) => {
      story.client('ann').does(create('/a'))
      story.commit({ kind: 'create', path: '/b', data: null, owner: NOBODY, parentCreates: 1 })
    },
  ],
  [
    1,
    'an ephemeral has a child',
    (story) => {
      story.client('ann').does(ephemeral('/a'))
      story.commit({ kind: 'create', path: '/a/b', data: null, owner: NOBODY, parentCreates: 1 })
    },
  ],
  [
    2,
    'an acknowledged write is not in the log',
    (story) => {
      const ann = story.client('ann')
      ann.hears(ann.asks(create('/a')), { path: '/a' }, (story.last + 7) as Zxid)
    },
  ],
  [
    2,
    'a write is acknowledged with the place of another one',
    (story) => {
      const [ann, bob] = [story.client('ann'), story.client('bob')]
      const asked = ann.asks(create('/a'))
      const there = bob.does(create('/b'))
      ann.hears(asked, { path: '/a' }, there)
    },
  ],
  [
    2,
    'a client is told that a node exists, which it has just created',
    (story) => {
      const ann = story.client('ann')
      const asked = ann.asks(create('/a'))
      story.commits(asked)
      ann.hears(asked, { error: ERROR_CODES.NodeExists })
    },
  ],
  [
    2,
    'a client is told the name of another sequential node',
    (story) => {
      const ann = story.client('ann')
      ann.does(sequential('/a-'))
      const asked = ann.asks(sequential('/a-'))
      story.commits(asked)
      ann.hears(asked, { path: '/a-0000000000' })
    },
  ],
  [
    2,
    'compare-and-set succeeds with a version that is past',
    (story) => {
      const ann = story.client('ann')
      ann.does(create('/a'))
      ann.does(set('/a', 'one', 0))
      const asked = ann.asks(set('/a', 'two', 0))
      story.commits(asked, { kind: 'setData', path: '/a', data: 'two', version: 2 })
      ann.hears(asked, { stat: { version: 2 } })
    },
  ],
  [
    2,
    'a write that could be done is refused',
    (story) => {
      const ann = story.client('ann')
      const asked = ann.asks(create('/a'))
      story.commits(asked, { kind: 'error', code: ERROR_CODES.NoNode, codes: [] })
      ann.hears(asked, { error: ERROR_CODES.NoNode })
    },
  ],
  [
    2,
    'a write stands before one that was acknowledged before it was asked for',
    (story) => {
      const [ann, bob] = [story.client('ann'), story.client('bob')]
      ann.does(create('/a'))
      const late = bob.willAsk(set('/a', 'late'))
      story.commits(late)
      ann.does(create('/b'))
      bob.asksNow(late)
      bob.loses()
    },
  ],
  [
    2,
    "a connection's writes change places",
    (story) => {
      const ann = story.client('ann')
      const [first, second] = [ann.asks(create('/a')), ann.asks(create('/b'))]
      story.commits(second)
      story.commits(first)
      ann.loses()
    },
  ],
  [
    2,
    'something is written in the name of a client that never asked',
    (story) => {
      const ann = story.client('ann')
      story.commit({ kind: 'create', path: '/a', data: null, owner: NOBODY, parentCreates: 1 }, ann.session, 1, 100)
    },
  ],
  [
    2,
    'a write whose answer was lost has other data',
    (story) => {
      const ann = story.client('ann')
      story.commits(ann.asks(create('/a', 'hers')), {
        kind: 'create',
        path: '/a',
        data: 'his',
        owner: NOBODY,
        parentCreates: 1,
      })
      ann.loses()
    },
  ],
  [
    2,
    'a write is acknowledged before it is committed',
    (story) => {
      const ann = story.client('ann')
      const asked = ann.asks(create('/a'))
      ann.hears(asked, { path: '/a' }, (story.last + 1) as Zxid)
      story.commits(asked)
    },
  ],
  [
    2,
    'half of a multi is done',
    (story) => {
      const ann = story.client('ann')
      const asked = ann.asks(multi(create('/a'), create('/b')))
      const half = { kind: 'create', path: '/a', data: null, owner: NOBODY, parentCreates: 1 } as const
      story.commits(asked, { kind: 'multi', ops: [half] })
      ann.loses()
    },
  ],
  [
    2,
    'a failed multi blames the wrong operation',
    (story) => {
      const ann = story.client('ann')
      const asked = ann.asks(multi(create('/a'), remove('/b')))
      story.commits(asked)
      ann.hears(asked, {
        results: [{ error: ERROR_CODES.NoNode }, { error: ERROR_CODES.RuntimeInconsistency }],
      })
    },
  ],
]
