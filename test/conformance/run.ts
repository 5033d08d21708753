import { Standalone } from '../standalone.ts'
import { differences } from './compare.ts'
import { play } from './player.ts'
import type { Scenario } from './scenario.ts'

/** Plays a scenario against our server, through our client; says what differs from the recording. */
export async function run(scenario: Scenario): Promise<string[]> {
  const host = new Standalone({
    enforceQuota: scenario.server?.enforceQuota ?? false,
  })
  return differences(scenario, await play(scenario, host))
}
