import type { Mutant } from './mutant.ts'

/** Ways to break what a replica does for its clients. */
export const SERVER_MUTANTS: readonly Mutant[] = [
  {
    name: 'retry-not-recognised',
    why: 'a request that is asked again under its number is done again',
    harness: 'tree',
    budget: 200,
    edits: [
      { file: 'src/tree/prepare.ts', find: "if (before === 'again')", replace: "if (before === 'again' && seen < 0)" },
    ],
  },
  {
    name: 'key-taken-at-its-word',
    why: 'a session that shows a public key need not prove that it holds the private one',
    harness: 'test',
    budget: 1,
    story: 'client/key',
    edits: [
      {
        file: 'src/server/auth.ts',
        find: 'return p256.verify(proof.subarray(PUBLIC_KEY_LENGTH), message, publicKey, { lowS: false })',
        replace: 'return publicKey.length > 0',
      },
    ],
  },
  {
    name: 'watches-resume-late',
    why: 'a watch that goes on after a reconnect leaves out the first txn that its client missed',
    harness: 'tree',
    budget: 200,
    edits: [{ file: 'src/server/rearm.ts', find: 'recent.after(since)', replace: 'recent.after((since + 1) as Zxid)' }],
  },
]
