import SimplePeer from 'simple-peer/simplepeer.min.js'

/** What one end of a connection looks like after it exchanged words with the other end, worker to worker. */
export interface Meeting {
  readonly heard: string
  readonly bytes: number
}

declare global {
  interface Window {
    platform: {
      meet(initiator: boolean): Promise<Meeting>
      askWorker(task: 'indexedDB' | 'locks'): Promise<unknown>
    }
  }
}

const newWorker = () => new Worker(new URL('./platform-worker.js', import.meta.url), { type: 'module' })

/** Connects this page to the other one of its origin, with a channel that lives in the worker from its first task on. */
async function meet(initiator: boolean): Promise<Meeting> {
  const worker = newWorker()
  const peer = new SimplePeer({ initiator, trickle: true, config: { iceServers: [] } })
  const channel = peer._pc?.createDataChannel('tk', { negotiated: true, id: 100 })
  if (!channel) throw new Error('This browser makes no RTCPeerConnection.')
  channel.binaryType = 'arraybuffer'
  const heard = answer<Meeting>(worker)
  worker.postMessage({ task: 'talk', channel }, [channel as unknown as Transferable])
  const signals = new BroadcastChannel('platform-signals')
  // A broadcast reaches only those who listen already: the one that begins waits until the other says that it does.
  const there = Promise.withResolvers<void>()
  signals.onmessage = ({ data }) => {
    if (data === 'there?' && !initiator) signals.postMessage('there')
    else if (data === 'there') there.resolve()
    else if (data !== 'there?') peer.signal(data)
  }
  signals.postMessage(initiator ? 'there?' : 'there')
  peer.on('signal', async (signal) => {
    if (initiator) await there.promise
    signals.postMessage(signal)
  })
  const failed = new Promise<never>((_, reject) => peer.on('error', reject))
  return await Promise.race([heard, failed])
}

const answer = <T>(worker: Worker): Promise<T> =>
  new Promise((resolve, reject) => {
    worker.onmessage = (event) => resolve(event.data)
    worker.onerror = (event) => reject(new Error(event.message))
  })

function askWorker(task: 'indexedDB' | 'locks'): Promise<unknown> {
  const worker = newWorker()
  const reply = answer(worker)
  worker.postMessage({ task })
  return reply
}

window.platform = { meet, askWorker }
