import { MessageChannel } from 'node:worker_threads'
import { expect, it } from 'vitest'
import type { FramePipe } from '../../../src/client/frame-pipe.ts'
import { type PipePort, portPipe } from '../../../src/client/port-pipe.ts'

const settled = () => new Promise((resolve) => setTimeout(resolve, 30))
const pipes = (): [FramePipe, FramePipe] => {
  const { port1, port2 } = new MessageChannel()
  return [portPipe(port1 as unknown as PipePort), portPipe(port2 as unknown as PipePort)]
}

it('carries frames in order, also those that came before anybody listened, and parts of larger buffers', async () => {
  const [a, b] = pipes()
  const heard: number[][] = []
  a.send(new Uint8Array([1]))
  a.send(new Uint8Array([9, 2, 3, 9]).subarray(1, 3))
  await settled()
  b.onframe = (frame) => heard.push([...frame])
  a.send(new Uint8Array([4]))
  await settled()
  expect(heard).toEqual([[1], [2, 3], [4]])
  a.close()
})

it('tells both ends once that it is closed, after the frames sent before', async () => {
  const [a, b] = pipes()
  const told: string[] = []
  a.onframe = () => {}
  a.onclose = (reason) => told.push(`a: ${reason}`)
  b.onframe = (frame) => told.push(`b: ${frame[0]}`)
  b.onclose = (reason) => told.push(`b: ${reason}`)
  a.send(new Uint8Array([5]))
  a.close()
  a.close()
  a.send(new Uint8Array([6]))
  await settled()
  b.close()
  expect(told).toEqual(['a: closed here', 'b: 5', 'b: closed by the other side'])
})

it('closes on what is no frame', async () => {
  const { port1, port2 } = new MessageChannel()
  const pipe = portPipe(port1 as unknown as PipePort)
  const closed = new Promise((resolve) => {
    pipe.onclose = resolve
  })
  pipe.onframe = () => {}
  port2.postMessage({ any: 'thing' })
  expect(await closed).toBe('closed by the other side')
})
