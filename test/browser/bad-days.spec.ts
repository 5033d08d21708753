import { expect, type Page, test } from './fixtures.ts'
import { childrenOf, inspect, open, settled } from './in-page.ts'

test('garbage from a peer closes that link and nothing else', async ({ tabs }) => {
  const pages = await tabs(3)
  const [one, two, stranger] = pages as [Page, Page, Page]
  await Promise.all([open(one, 'bad'), open(two, 'bad')])
  const ensembleId = await one.evaluate(async () => (await window.keeper.inspect()).ensembleId)
  const closings = await stranger.evaluate(async (ensemble) => {
    const load = (path: string) => import(/* @vite-ignore */ path)
    const { Mesh } = (await load('/src/mesh/mesh.ts')) as typeof import('../../src/mesh/mesh.ts')
    const { openRtcPair } = (await load('/src/mesh/rtc-pair.ts')) as typeof import('../../src/mesh/rtc-pair.ts')
    const { PlainSignaling } = (await load(
      '/src/signaling/plain-signaling.ts',
    )) as typeof import('../../src/signaling/plain-signaling.ts')
    const { dataChannelLink } = (await load(
      '/src/transport/data-channel-link.ts',
    )) as typeof import('../../src/transport/data-channel-link.ts')
    const { openPeerLink } = (await load(
      '/src/transport/open-peer-link.ts',
    )) as typeof import('../../src/transport/open-peer-link.ts')
    const self = (2 ** 53 - 1) as import('../../src/index.ts').ReplicaId
    const versions = { versionMin: 1, versionMax: 1, format: 1 }
    const hello = {
      ensemble: ensemble as import('../../src/index.ts').EnsembleId,
      replica: self,
      incarnation: 1,
      ...versions,
      browser: 'elsewhere',
      build: 'stranger',
    }
    return new Promise<string[]>((resolve) => {
      const closed: string[] = []
      const mesh = new Mesh(
        {
          topic: 'bad',
          ensemble: hello.ensemble,
          self,
          incarnation: 1,
          signaling: new PlainSignaling(new window.tabkeeper.BroadcastChannelSignaling()),
          iceServers: () => [],
          openPair: openRtcPair,
          now: () => performance.now(),
          chance: () => Math.random(),
        },
        {
          deliver: async (_peer, attempt, { control }) => {
            const channel = control as RTCDataChannel
            const raw = dataChannelLink(channel)
            const link = await openPeerLink(raw, hello, { linkId: attempt as never })
            link.onclose = (reason) => {
              closed.push(reason)
              if (closed.length < 2) return
              mesh.close()
              resolve(closed)
            }
            channel.send(crypto.getRandomValues(new Uint8Array(512)))
          },
          bound: () => {},
          heard: () => {},
          stranger: () => {},
          notice: () => {},
        },
      )
      void mesh.join()
    })
  }, ensembleId)
  expect(closings).toHaveLength(2)
  for (const page of [one, two]) {
    await expect
      .poll(() => page.evaluate(() => window.notices.filter((text) => text.startsWith('BadPeer')).length))
      .toBe(1)
    expect(await page.evaluate(() => window.keeper.state)).toBe('connected')
  }
  await one.evaluate(() => window.keeper.create('/still').then(() => undefined))
  expect(await childrenOf(two, '/')).toContain('still')
  expect((await inspect(one)).links.filter(({ state }) => state === 'open')).toHaveLength(1)
})

test('a page whose browser cannot transfer channels relays them', async ({ tabs }) => {
  const pages = await tabs(3)
  const [old] = pages as [Page, Page, Page]
  await old.evaluate(() => {
    const post = Worker.prototype.postMessage as (this: Worker, message: unknown, transfer: Transferable[]) => void
    Worker.prototype.postMessage = function (message: unknown, transfer?: StructuredSerializeOptions | Transferable[]) {
      const moved = Array.isArray(transfer) ? transfer : []
      if (moved.some((one) => one instanceof RTCDataChannel))
        throw new DOMException('not transferable', 'DataCloneError')
      post.call(this, message, moved)
    }
  })
  await Promise.all(pages.map((page) => open(page, 'relay')))
  await settled(pages)
  expect((await inspect(old)).links.map(({ transferred }) => transferred)).toEqual([false, false])
  await old.evaluate(() => window.keeper.create('/big', new Uint8Array(900_000).fill(7)).then(() => undefined))
  for (const page of pages) {
    const sum = await page.evaluate(async () => {
      await window.keeper.sync('/big')
      const { data } = await window.keeper.getData('/big')
      return data?.reduce((total, byte) => total + byte, 0)
    })
    expect(sum).toBe(6_300_000)
  }
})

test('a page makes more connections in its life than Chromium lets be', async ({ tabs }) => {
  const [page] = (await tabs(1)) as [Page]
  const made = await page.evaluate(async () => {
    const load = (path: string) => import(/* @vite-ignore */ path)
    const { openRtcPair } = (await load('/src/mesh/rtc-pair.ts')) as typeof import('../../src/mesh/rtc-pair.ts')
    /** As the mesh: after a refusal it tries again, later. */
    const openOne = async (): Promise<number> => {
      for (let refusals = 0; ; refusals++) {
        let made = false
        const pair = openRtcPair(true, [], {
          onchannels: () => {
            made = true
          },
          onsignal: () => {},
          onclose: () => {},
        })
        await new Promise((resolve) => setTimeout(resolve, made ? 0 : 200))
        pair.close()
        if (made || refusals === 20) return made ? refusals : Number.POSITIVE_INFINITY
      }
    }
    let refused = 0
    for (let i = 0; i < 1200 && refused < 100; i++) refused += await openOne()
    return { refused }
  })
  console.log(`1,200 connections: ${made.refused} refused and made a little later`)
  expect(made.refused).toBeLessThan(20)
})

test('a worker that cannot start is said to be so', async ({ tabs, complaints }) => {
  const [page] = (await tabs(1)) as [Page]
  const refused = await page.evaluate(async () => {
    const worker = () => new Worker('/nowhere/replica.js', { type: 'module' })
    return window.tabkeeper.Keeper.open({ ensemble: 'none', worker }).catch((error) => [error.code, error.message])
  })
  expect(refused).toEqual(['WorkerFailed', expect.stringContaining('Content-Security-Policy')])
  const silent = await page.evaluate(async () => {
    const script = URL.createObjectURL(new Blob(['postMessage(1)'], { type: 'text/javascript' }))
    const worker = () => new Worker(script)
    return window.tabkeeper.Keeper.open({ ensemble: 'none', worker }).catch((error) => [error.code, error.message])
  })
  expect(silent).toEqual(['WorkerFailed', expect.stringContaining('15 s')])
  complaints.splice(0)
})

test('a worker that dies takes the keeper to lost, and nothing hangs', async ({ tabs }) => {
  const [page] = (await tabs(1)) as [Page]
  const said = await page.evaluate(async () => {
    let made: Worker | undefined
    const worker = () => {
      made = new Worker(new URL('/workers/replica.ts', location.href), { type: 'module' })
      return made
    }
    const keeper = await window.tabkeeper.Keeper.open({ ensemble: 'dies', worker })
    const states: string[] = []
    const codes: string[] = []
    keeper.addEventListener('state', ({ detail }) => states.push(detail.state))
    keeper.addEventListener('notice', ({ detail }) => codes.push(detail.code))
    made?.terminate()
    const code = (error: unknown) => (error instanceof window.tabkeeper.KeeperError ? error.code : String(error))
    const calls = await Promise.all([
      keeper.create('/a').then(() => 'made', code),
      keeper.inspect().then(() => 'seen', code),
      keeper.stepDown().then(() => 'done', code),
    ])
    if (keeper.state !== 'lost') await new Promise((resolve) => keeper.onState(resolve))
    await keeper.close()
    return { states, codes, calls, state: keeper.state }
  })
  expect(said.calls[0]).toMatch(/ConnectionLoss|SessionExpired/)
  expect(said.calls.slice(1)).toEqual(['WorkerFailed', 'WorkerFailed'])
  expect(said.codes).toEqual(['WorkerFailed'])
  expect(said.states.at(-1)).toBe('lost')
})

test('a blocked database is a StorageFailed, in time', async ({ tabs }) => {
  const [page] = (await tabs(1)) as [Page]
  const refused = await page.evaluate(async () => {
    await new Promise((resolve) => {
      const request = indexedDB.open('tabkeeper-browser', 1)
      request.onsuccess = resolve
      window.kept = request
    })
    // It waits for the connection above, kept open, and whoever opens now waits for it.
    indexedDB.deleteDatabase('tabkeeper-browser')
    return window.tabkeeper.Keeper.open({ ensemble: 'blocked' }).catch((error) => error.code)
  })
  expect(refused).toBe('StorageFailed')
})

test('bad arguments are named', async ({ tabs }) => {
  const [page] = (await tabs(1)) as [Page]
  const refused = await page.evaluate(async () => {
    const { Keeper } = window.tabkeeper
    const bad = [{ ensemble: '' }, { ensemble: 'e', voters: 2 }, { ensemble: 'e', sessionTimeout: 5 }, null]
    return Promise.all(bad.map((options) => Keeper.open(options as never).catch(({ code, path }) => `${code} ${path}`)))
  })
  expect(refused).toEqual([
    'BadArguments ensemble',
    'BadArguments voters',
    'BadArguments sessionTimeout',
    'BadArguments options',
  ])
  const never = await page.evaluate(() =>
    window.tabkeeper.Keeper.open({ ensemble: 'nobody', create: 'never' }).catch(({ code }) => code),
  )
  expect(never).toBe('NoNode')
})
