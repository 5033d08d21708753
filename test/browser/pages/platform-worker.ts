import { openDB } from 'idb'

type Order = { readonly task: 'talk'; readonly channel: RTCDataChannel } | { readonly task: 'indexedDB' | 'locks' }

self.onmessage = async (event: MessageEvent<Order>) => {
  const order = event.data
  if (order.task === 'talk') talk(order.channel)
  else self.postMessage(order.task === 'locks' ? await takeLock() : await writeTwice())
}

function talk(channel: RTCDataChannel): void {
  channel.binaryType = 'arraybuffer'
  let bytes = 0
  const greet = () => {
    channel.send(new Uint8Array(16_000))
    channel.send('a word from worker to worker')
  }
  channel.onmessage = ({ data }) => {
    if (typeof data === 'string') self.postMessage({ heard: data, bytes })
    else bytes += (data as ArrayBuffer).byteLength
  }
  if (channel.readyState === 'open') greet()
  else channel.onopen = greet
}

/** One strict transaction that writes two records, and what a new connection then finds. */
async function writeTwice(): Promise<unknown> {
  const open = () => openDB('platform', 1, { upgrade: (db) => void db.createObjectStore('log') })
  const first = await open()
  const transaction = first.transaction('log', 'readwrite', { durability: 'strict' })
  await Promise.all([
    transaction.store.put(new Uint8Array([1, 2, 3]), 4294967297),
    transaction.store.put('text', 4294967298),
    transaction.done,
  ])
  first.close()
  const second = await open()
  return {
    durability: transaction.durability,
    keys: await second.getAllKeys('log'),
    values: await second.getAll('log'),
  }
}

/** Held until the page goes. */
function takeLock(): Promise<boolean> {
  return new Promise((resolve) => {
    navigator.locks.request('platform', { ifAvailable: true }, (lock) => {
      resolve(lock !== null)
      return new Promise(() => {})
    })
  })
}
