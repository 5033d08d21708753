import { fromUtf8 } from '../../src/base/bytes.ts'
import { KeeperError } from '../../src/base/errors.ts'
import type { CreateMode, ZnodeClient } from '../../src/client/api.ts'
import type { World } from '../../src/recipes/world.ts'
import type { Recipes } from './implementations.ts'

const code = (error: unknown): string => (error instanceof KeeperError ? error.code : '')

/** Once more after a lost connection: what nearly every program does. */
async function again<T>(step: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await step()
    } catch (error) {
      if (code(error) !== 'ConnectionLoss') throw error
    }
  }
}

async function there(
  client: ZnodeClient,
  path: string,
  data: string | null = null,
  mode: CreateMode = 'persistent',
): Promise<void> {
  const parts = path.split('/').slice(1)
  for (let i = 1; i < parts.length; i++) {
    await client.create(`/${parts.slice(0, i).join('/')}`).catch(() => undefined)
  }
  await again(() => client.create(path, data, { mode })).catch((error: unknown) => {
    if (code(error) !== 'NodeExists') throw error
  })
}

const number = async (client: ZnodeClient, path: string): Promise<{ value: number; version: number }> => {
  const { data, stat } = await client.getData(path)
  return { value: Number(fromUtf8(data ?? new Uint8Array())), version: stat.version }
}

/** Compare and set, tried again where it was refused. */
async function change(
  client: ZnodeClient,
  path: string,
  first: number,
  by: (value: number) => number,
): Promise<number> {
  await there(client, path, String(first))
  for (;;) {
    const { value, version } = await number(client, path)
    try {
      await again(() => client.setData(path, String(by(value)), { version }))
      return by(value)
    } catch (error) {
      if (code(error) !== 'BadVersion') throw error
    }
  }
}

const changed = (client: ZnodeClient, path: string): Promise<void> =>
  new Promise((resolve) => {
    client.exists(path, { watch: () => resolve() }).catch(() => resolve())
  })

async function firstInLine({ client }: World, line: string, path: string): Promise<void> {
  for (;;) {
    const { children } = await client.getChildren(line)
    const order = children.toSorted((a, b) => Number(a.slice(-10)) - Number(b.slice(-10)))
    const before = order[order.indexOf(path.slice(line.length + 1)) - 1]
    if (before === undefined) return
    const gone = changed(client, `${line}/${before}`)
    if ((await client.exists(`${line}/${before}`)) !== null) await gone
  }
}

/** Each as it stands in many programs, with the one mistake that its contract names. */
export const NAIVE: Recipes = {
  // Finds the node of "its" name, whichever session made it.
  lock: async (page, name) => {
    const line = `/locks-${name}`
    await there(page.client, line)
    const known = (await page.client.getChildren(line)).children.find((child) => child.startsWith('me-'))
    const made =
      known === undefined ? again(() => page.client.create(`${line}/me-`, null, { mode: 'ephemeralSequential' })) : null
    const path = (await made)?.path ?? `${line}/${known}`
    await firstInLine(page, line, path)
    const owner = (await page.client.exists(path))?.ephemeralOwner ?? 0n
    return { session: owner, release: () => page.client.delete(path) }
  },
  // Counts, then takes.
  permit: async ({ client }, name, permits) => {
    const pool = `/pool-${name}`
    await there(client, pool)
    for (;;) {
      const { children } = await client.getChildren(pool)
      if (children.length < permits) break
      await changed(client, `${pool}/${children[0]}`)
    }
    const { path } = await client.create(`${pool}/`, null, { mode: 'ephemeralSequential' })
    return () => client.delete(path)
  },
  // A flag that nothing puts back.
  lead: async (page, name) => {
    await there(page.client, `/tk/elections/${name}`)
    const made = await page.client.create(`/tk/elections/${name}/c-`, null, { mode: 'ephemeralSequential' })
    await firstInLine(page, `/tk/elections/${name}`, made.path)
    const leads = true
    return () => leads
  },
  closeBarrier: ({ client }, name) => there(client, `/barrier-${name}`),
  openBarrier: ({ client }, name) => client.delete(`/barrier-${name}`),
  // Waits until it sees none.
  passBarrier: async ({ client }, name) => {
    for (;;) {
      const woken = changed(client, `/barrier-${name}`)
      if ((await client.exists(`/barrier-${name}`)) === null) return
      await woken
      await client.sync()
      await client.sync()
    }
  },
  // Whatever wakes it opens it.
  meet: async ({ client }, name, members) => {
    await there(client, `/meet-${name}`)
    await client.create(`/meet-${name}/`, null, { mode: 'ephemeralSequential' })
    if ((await client.getChildren(`/meet-${name}`)).children.length >= members) {
      await there(client, `/ready-${name}`)
      return
    }
    await new Promise<void>((woken) => {
      client.onState(({ state }) => state === 'connected' && woken())
      void changed(client, `/ready-${name}`).then(woken)
    })
  },
  countDown: ({ client }, name, count) => change(client, `/latch-${name}`, count, (left) => left - 1),
  remaining: async ({ client }, name) => (await number(client, `/latch-${name}`)).value,
  add: ({ client }, name, delta) => change(client, `/count-${name}`, 0, (sum) => sum + delta),
  sum: async ({ client }, name) => (await number(client, `/count-${name}`)).value,
  // Reads, then writes.
  id: async ({ client }, name) => {
    await there(client, `/ids-${name}`, '0')
    const { value } = await number(client, `/ids-${name}`)
    await client.setData(`/ids-${name}`, String(value + 1))
    return value + 1
  },
  append: async ({ client }, name, word) => {
    await there(client, `/words-${name}`, '')
    const { data } = await client.getData(`/words-${name}`)
    await client.setData(`/words-${name}`, `${fromUtf8(data ?? new Uint8Array())} ${word}`)
  },
  words: async ({ client }, name) => {
    const { data } = await client.getData(`/words-${name}`)
    return fromUtf8(data ?? new Uint8Array())
      .trim()
      .split(' ')
  },
  // Here until it says goodbye.
  join: ({ client }, name, id) => there(client, `/group-${name}/${id}`),
  members: async ({ client }, name) => (await client.getChildren(`/group-${name}`)).children,
  // There already: well, then.
  present: async ({ client }, path, data) => {
    await there(client, path, null, 'ephemeral')
    await client.setData(path, data)
  },
  // An old one of ours, surely.
  offer: async ({ client }, service, id, payload) => {
    const path = `/tk/services/${service}/${id}`
    await there(client, `/tk/services/${service}`)
    await client.delete(path).catch(() => undefined)
    await client.create(path, payload, { mode: 'ephemeral' })
  },
  // Same version, same data.
  copy: async ({ client }, path) => {
    const nodes = new Map<string, { readonly version: number; readonly data: Uint8Array | null }>()
    const read = async (at: string): Promise<void> => {
      const { data, stat } = await client.getData(at)
      if (nodes.get(at)?.version !== stat.version) nodes.set(at, { version: stat.version, data })
    }
    await read(path)
    const follow = async (): Promise<void> => {
      for await (const notice of await client.watch(path, { recursive: true })) {
        await client.sync()
        await read(notice.path).catch(() => nodes.delete(notice.path))
      }
    }
    follow().catch(() => undefined)
    return (at) => nodes.get(at)?.data
  },
  put: async ({ client }, name, data) => {
    await there(client, `/queue-${name}`)
    await again(() => client.create(`/queue-${name}/`, data, { mode: 'persistentSequential' }))
  },
  size: async ({ client }, name) => (await client.getChildren(`/queue-${name}`)).children.length,
  // Takes it out, then works.
  process: async ({ client }, name, work) => {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        client.getChildren(`/queue-${name}`, { watch: () => resolve() }).catch(() => resolve())
      })
      const [first] = (await client.getChildren(`/queue-${name}`)).children
      if (first === undefined) {
        await woken
        continue
      }
      const { data } = await client.getData(`/queue-${name}/${first}`)
      await client.delete(`/queue-${name}/${first}`)
      return await work(data)
    }
  },
  // By its own clock.
  lease: async ({ client, clock }, name, ms) => {
    await there(client, `/lease-${name}`, '0')
    const { value, version } = await number(client, `/lease-${name}`)
    if (value > clock.now()) return false
    await client.setData(`/lease-${name}`, String(clock.now() + ms), { version })
    return true
  },
  // Lets everything go, then takes its part by numbers.
  split: async (page, name, items, { begins, ends }, signal) => {
    const { client } = page
    await there(client, `/split-${name}`)
    const own = await client.create(`/split-${name}/`, null, { mode: 'ephemeralSequential' })
    let mine: readonly string[] = []
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve())
        client.getChildren(`/split-${name}`, { watch: () => resolve() }).catch(() => resolve())
      })
      const { children } = await client.getChildren(`/split-${name}`)
      const at = children.indexOf(own.path.slice(name.length + 8))
      mine = items.filter((_, i) => i % children.length === at)
      for (const item of mine) begins(item)
      await woken
      for (const item of mine) ends(item)
    }
  },
}
