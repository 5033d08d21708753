/** The bytes of an IPv4 or IPv6 address, or null. ZooKeeper: IPAuthenticationProvider. */
function addressBytes(text: string): readonly number[] | null {
  return text.includes(':') ? v6(text) : v4(text)
}

function v4(text: string): readonly number[] | null {
  const parts = text.split('.')
  if (parts.length !== 4 || parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255)) return null
  return parts.map(Number)
}

function v6(text: string): readonly number[] | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')))
  if (head === undefined) return null
  const given = head.length + (tail?.length ?? 0)
  if (tail === undefined ? given !== 8 : given > 7) return null
  const groups = [...head, ...Array<string>(8 - given).fill('0'), ...(tail ?? [])]
  if (groups.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return null
  return groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255])
}

function parse(pattern: string): { readonly bytes: readonly number[]; readonly bits: number } | null {
  const [address = '', bits, ...more] = pattern.split('/')
  const bytes = addressBytes(address)
  if (bytes === null || more.length > 0) return null
  if (bits === undefined) return { bytes, bits: bytes.length * 8 }
  return /^\d{1,3}$/.test(bits) && Number(bits) <= bytes.length * 8 ? { bytes, bits: Number(bits) } : null
}

/** `address` or `address/bits`. */
export const isIpPattern = (pattern: string): boolean => parse(pattern) !== null

export function ipMatches(address: string, pattern: string): boolean {
  const own = addressBytes(address)
  const wanted = parse(pattern)
  if (own === null || wanted === null || own.length !== wanted.bytes.length) return false
  for (let bit = 0; bit < wanted.bits; bit += 8) {
    const mask = (0xff00 >> Math.min(8, wanted.bits - bit)) & 0xff
    if ((((own[bit / 8] as number) ^ (wanted.bytes[bit / 8] as number)) & mask) !== 0) return false
  }
  return true
}
