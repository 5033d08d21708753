import { KeeperError } from '../base/errors.ts'

/** Turns any name of 1 to 256 characters into one path element, readable where it is plain; `fromNodeName` turns it back. */
export function toNodeName(argument: string, name: string): string {
  if (typeof name !== 'string' || name.length < 1 || name.length > 256 || !name.isWellFormed()) {
    throw new KeeperError('BadArguments', `${argument} must be a text of 1 to 256 characters`, { path: argument })
  }
  const encoded = encodeURIComponent(name)
  return encoded === '.' || encoded === '..' || encoded === 'zookeeper' ? encoded.replace(/^./, escapeFirst) : encoded
}

const escapeFirst = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`

/** An element that nobody encoded is given as it is. */
export function fromNodeName(element: string): string {
  try {
    return decodeURIComponent(element)
  } catch {
    return element
  }
}
