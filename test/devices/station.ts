// One server on a device, told what to be by its arguments: `pages DIRECTORY HOST PORT` or `signal HOST PORT YOUTH LEASE`. Says
// what it has to say to the process that started it.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { SignalServer } from '../../src/node/signal-server.ts'

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' }

const [what, ...rest] = process.argv.slice(2)
if (what === 'pages') {
  const [directory = '.', host = '', port] = rest
  const server = createServer(async ({ url = '/' }, response) => {
    const file = join(directory, normalize(new URL(url, 'http://here').pathname))
    const body = await readFile(file).catch(() => null)
    const type = TYPES[extname(file)] ?? 'application/octet-stream'
    response.writeHead(body === null ? 404 : 200, { 'content-type': type }).end(body)
  })
  server.listen(Number(port), host, () => process.send?.({ granted: 0 }))
} else {
  const [host = '', port, youth, lease] = rest
  const server = await SignalServer.start({
    listen: { host, port: Number(port) },
    founding: { youth: Number(youth), lease: Number(lease) },
  })
  let told = -1
  setInterval(() => {
    const { granted } = server.health
    if (granted !== told) process.send?.({ granted })
    told = granted
  }, 2)
}
process.on('disconnect', () => process.exit())
