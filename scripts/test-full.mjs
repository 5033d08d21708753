// `npm run test:full`: `npm test`, and all that takes longer or needs more of the machine (ZooKeeper, Firefox, coturn, root).
import { npm, runStages } from './stages.mjs'

process.exitCode = runStages('npm run test:full', [
  { name: 'npm test', command: ['npm', 'test'] },
  { name: 'slow browser tests', command: npm('test:browser', '--', '--grep', '@slow') },
  { name: 'zookeeper', command: npm('test:zookeeper') },
  { name: 'devices', command: npm('test:devices', '--', '--long') },
  // Lives and walks for twenty minutes; every rare branch must have been taken.
  { name: 'nightly', command: npm('sim', '--', '--nightly', '--jobs', '2') },
  { name: 'all mutants', command: npm('sim', '--', '--mutations') },
  { name: 'all mutants of the small world', command: npm('sim', '--', '--mutations', '--exhaustive') },
  { name: 'fuzz', command: npm('fuzz') },
])
