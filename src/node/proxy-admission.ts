import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

export type Refusal = '400 Bad Request' | '401 Unauthorized' | '403 Forbidden' | '429 Too Many Requests'

const TOKEN_PROTOCOL = 'token.'

/** Who may connect: by origin, and by token. */
export function admission(terms: {
  readonly origins?: readonly string[]
  readonly token?: string
}): (request: IncomingMessage) => Refusal | null {
  const origins = terms.origins === undefined ? null : new Set(terms.origins.map((one) => one.replace(/\/$/, '')))
  const wanted = terms.token === undefined ? null : digest(terms.token)
  return ({ headers, url }) => {
    // Browsers always say their origin, and no script can forge it; a program can say what it likes anyway.
    if (origins !== null && headers.origin !== undefined && !origins.has(headers.origin)) return '403 Forbidden'
    if (wanted === null) return null
    const given = tokens(url ?? '/', headers['sec-websocket-protocol'])
    if (given === null) return '400 Bad Request'
    return given.some((token) => timingSafeEqual(digest(token), wanted)) ? null : '401 Unauthorized'
  }
}

function tokens(url: string, protocols: string | undefined): string[] | null {
  if (!URL.canParse(url, 'http://proxy')) return null
  const inUrl = new URL(url, 'http://proxy').searchParams.getAll('token')
  const offered = (protocols ?? '').split(',').map((one) => one.trim())
  const told = offered.filter((one) => one.startsWith(TOKEN_PROTOCOL)).map((one) => one.slice(TOKEN_PROTOCOL.length))
  return [...inUrl, ...told]
}

const digest = (token: string): Buffer => createHash('sha256').update(token).digest()
