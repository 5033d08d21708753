import { KeeperError } from '../base/errors.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** `host:port`, `[v6]:port`, or, with a default port, `host`. Throws BadArguments, naming the argument. */
export function parseAddress(text: string, argument: string, defaultPort?: number): Address {
  const match = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[^:[\]\s]*))(?::(?<port>\d{1,5}))?$/.exec(text)
  const host = match?.groups?.['v6'] ?? match?.groups?.['host'] ?? ''
  const port = match?.groups?.['port'] === undefined ? defaultPort : Number(match.groups['port'])
  if (host === '' || port === undefined || port > 65_535) {
    throw new KeeperError('BadArguments', `${argument} must be host:port, not ${JSON.stringify(text)}`, {
      path: argument,
    })
  }
  return { host, port }
}

/** Several, separated by commas. */
export const parseAddresses = (text: string, argument: string, defaultPort?: number): readonly Address[] =>
  text.split(',').map((one) => parseAddress(one.trim(), argument, defaultPort))

export const formatAddress = ({ host, port }: Address): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/** IPv4 in its usual spelling where a socket says it as IPv6. */
export const plainAddress = (address: string | undefined): string => (address ?? '').replace(/^::ffff:/, '')
