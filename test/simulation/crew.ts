import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Portion, playPortion } from './portion.ts'
import { NOTHING, type Tally } from './tally.ts'

const PORTION_MS = 600_000

/** Plays portions on `jobs` cores until `next` has no more. `done` is told of each. One job runs in this process. */
export async function playAll(
  jobs: number,
  next: () => Portion | null,
  done: (portion: Portion, tally: Tally) => void,
): Promise<void> {
  if (jobs === 1) {
    for (let portion = next(); portion !== null; portion = next()) {
      done(portion, await playPortion(portion))
      // A turn for timers and signals.
      await new Promise((resolve) => setImmediate(resolve))
    }
    return
  }
  await Promise.all(Array.from({ length: jobs }, () => work(next, done)))
}

async function work(next: () => Portion | null, done: (portion: Portion, tally: Tally) => void): Promise<void> {
  let hand = makeHand()
  for (let portion = next(); portion !== null; portion = next()) {
    const { from, to } = portion
    const tally = await ask(hand, portion)
    if (typeof tally !== 'string') done(portion, tally)
    else {
      done(portion, { ...NOTHING, failures: [{ seed: from, cause: `one of the seeds ${from}-${to} ${tally}` }] })
      hand.kill('SIGKILL')
      hand = makeHand()
    }
  }
  hand.disconnect()
}

const makeHand = (): ChildProcess => fork(fileURLToPath(new URL('./hand.ts', import.meta.url)))

/** The tally, or why there is none. */
function ask(hand: ChildProcess, portion: Portion): Promise<Tally | string> {
  return new Promise((resolve) => {
    const end = (answer: Tally | string): void => {
      clearTimeout(deadline)
      hand.off('message', answered)
      hand.off('exit', exited)
      resolve(answer)
    }
    const answered = (tally: unknown): void => end(tally as Tally)
    const exited = (code: number | null): void => end(`ended the process with ${code}`)
    const deadline = setTimeout(() => end(`did not end within ${PORTION_MS / 60_000} minutes`), PORTION_MS)
    hand.on('message', answered)
    hand.on('exit', exited)
    hand.send(portion)
  })
}
