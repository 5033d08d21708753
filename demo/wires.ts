import type { KeeperOpenOptions } from '../src/index.ts'

const asked = new URLSearchParams(location.search)

/** `?signal=wss://…&secret=…`: the demo's ensemble reaches over several browsers. Several `signal` are several servers. */
export function wires(): Pick<KeeperOpenOptions, 'signaling' | 'secret'> {
  const servers = asked.getAll('signal')
  const secret = asked.get('secret')
  return servers.length === 0 ? {} : { signaling: servers, secret }
}

/** The address of a frame with one more member of the same ensemble. */
export function memberAddress(): string {
  const its = new URLSearchParams({ member: '' })
  for (const name of ['signal', 'secret']) for (const value of asked.getAll(name)) its.append(name, value)
  return `?${its}`
}
