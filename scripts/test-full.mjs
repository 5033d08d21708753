// `npm run test:full`: `npm test`, and all that takes longer or needs more of the machine (ZooKeeper, Firefox, coturn, root).
import { npm, playwrightTests, runStages } from './stages.mjs'

process.exitCode = runStages('npm run test:full', [
  // What is missing is said at the start, and not after an hour; its stage fails all the same.
  { name: 'tools of ZooKeeper', command: npm('test:zookeeper', '--', '--lacks') },
  { name: 'tools of the devices', command: npm('test:devices', '--', '--lacks') },
  { name: 'a whole browser', command: ['npx', 'tsx', 'scripts/chromium.ts', '--whole'] },
  { name: 'npm test', command: ['npm', 'test'] },
  {
    name: 'slow browser tests, and those that need a whole browser',
    command: npm('test:browser', '--', '--grep', '@slow|@whole-browser'),
    count: playwrightTests,
  },
  { name: 'zookeeper', command: npm('test:zookeeper') },
  { name: 'devices', command: npm('test:devices', '--', '--long') },
  { name: 'lives with tasks', command: npm('sim', '--', '--profile', 'tasks', '--seeds', '1-2000', '--jobs', '2') },
  // Lives and walks for twenty minutes; every rare branch must have been taken.
  { name: 'nightly', command: npm('sim', '--', '--nightly', '--jobs', '2') },
  { name: 'all mutants', command: npm('sim', '--', '--mutations') },
  { name: 'all mutants of the small world', command: npm('sim', '--', '--mutations', '--exhaustive') },
  { name: 'fuzz', command: npm('fuzz') },
])
