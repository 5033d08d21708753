import { strict as assert } from 'node:assert'
import type { Tab } from './device.ts'
import { type Ground, optionsOf, withChromiums } from './ground.ts'
import { converged, openKeeper, paths, settled, sleep, startWriting, stopWriting, type Write, write } from './in-tab.ts'
import { serveSignal, signalUrl } from './stations.ts'

/** Three devices and a signaling server: they form an ensemble; then their links are cut in every shape, while all of them write. */
export async function cuts(ground: Ground): Promise<void> {
  const { network, report, long } = ground
  const server = await serveSignal(network, 's1')
  await withChromiums(ground, ['d1', 'd2', 'd3'], async (devices) => {
    const tabs = await Promise.all(devices.map((device) => device.open()))
    await report.check(
      'three devices form an ensemble by a signaling server and a secret, and each one writes',
      async () => {
        await Promise.all(tabs.map((tab) => openKeeper(tab, optionsOf('cuts', signalUrl(network, 's1')))))
        await settled(tabs)
        for (const tab of tabs) await write(tab, `/from-${tab.device}`)
        for (const tab of tabs) for (const { device } of tabs) assert.ok((await paths(tab)).includes(`/from-${device}`))
        assert.equal(server.granted, 1)
      },
    )

    const pairs = [
      ['d1', 'd2'],
      ['d1', 'd3'],
      ['d2', 'd3'],
    ] as const
    const times = long ? [3, 10, 30] : [3]
    for (const seconds of times)
      for (const [a, b] of pairs)
        for (const both of [true, false])
          await report.check(
            `${a} ${both ? 'and' : 'to'} ${b} cut for ${seconds} s: nothing acknowledged is lost`,
            () =>
              duringCut(ground, tabs, seconds, () => (both ? network.cut(a, b) : network.cutOneWay(a, b))).then(
                () => undefined,
              ),
          )
    for (const seconds of long ? [3, 10, 30] : [3, 10])
      for (const whom of ['leader', 'follower'] as const)
        await report.check(
          `the ${whom} alone for ${seconds} s: it acknowledges nothing${seconds < 10 ? '' : ', and the others go on'}`,
          () => alone(ground, tabs, seconds, whom),
        )
  })
}

/** One device against two. */
async function alone(
  ground: Ground,
  tabs: readonly Tab[],
  seconds: number,
  whom: 'leader' | 'follower',
): Promise<void> {
  const leader = await settled(tabs)
  const minority = whom === 'leader' ? leader : tabs.find((tab) => tab !== leader)
  assert.ok(minority !== undefined)
  const { journals, from, to } = await duringCut(ground, tabs, seconds, () => {
    for (const { device } of tabs) if (device !== minority.device) ground.network.cut(device, minority.device)
  })
  const answered = (tab: Tab): Write[] =>
    (journals.get(tab) ?? []).filter(({ sent, acked }) => sent >= from && acked !== null && acked < to)
  assert.deepEqual(answered(minority), [], 'the minority acknowledged')
  // A shorter cut may end before the others have noticed it and elected.
  if (seconds < 10) return
  for (const tab of tabs)
    if (tab !== minority) assert.ok(answered(tab).length > 0, `${tab.device} was not served in the majority`)
}

interface Told {
  readonly journals: ReadonlyMap<Tab, readonly Write[]>
  /** When the cut was whole, and when it began to heal. */
  readonly from: number
  readonly to: number
}

let lives = 0

async function duringCut({ network }: Ground, tabs: readonly Tab[], seconds: number, cut: () => void): Promise<Told> {
  lives++
  for (const tab of tabs) await startWriting(tab, `w${lives}-${tab.device}`)
  await sleep(500)
  let [from, to] = [0, 0]
  try {
    cut()
    from = Date.now()
    await sleep(seconds * 1000)
  } finally {
    to = Date.now()
    network.heal()
  }
  await settled(tabs)
  const healed = Date.now()
  await sleep(500)
  const journals = new Map<Tab, readonly Write[]>()
  for (const tab of tabs) journals.set(tab, await stopWriting(tab))
  const acked = [...journals.values()].flat().filter((one) => one.acked !== null)
  console.log(
    `        ${[...journals].map(([{ device }, all]) => `${device} ${all.filter(({ acked }) => acked !== null && acked >= from && acked < to).length}`).join(', ')} acknowledged meanwhile; one leader ${healed - to} ms after the heal`,
  )
  assert.ok(acked.length > 10, 'too little was written for this to say anything')
  await converged(
    tabs,
    acked.map(({ path }) => path),
  )
  return { journals, from, to }
}
