import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createServer } from 'vite'

const top = join(dirname(fileURLToPath(import.meta.url)), '../..')

export interface Serving {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly origin: string
  close(): Promise<void>
}

/**
 * Serves the project's sources as a browser can load them, on a port of the system's choice. No file is watched: a page that
 * reloads itself under a test has lost its replica.
 */
export async function serve(): Promise<Serving> {
  const http = createHttpServer()
  const vite = await createServer({
    root: top,
    configFile: join(top, 'vite.config.ts'),
    logLevel: 'warn',
    appType: 'mpa',
    server: { middlewareMode: true, hmr: { server: http }, watch: null },
  })
  http.on('request', vite.middlewares)
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject)
    http.listen(0, '127.0.0.1', resolve)
  })
  return {
    origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async close() {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
      await vite.close()
    },
  }
}
