import { type Keeper, KeeperError, type ReplicaId } from '../src/index.ts'

export const NAMES_PATH = '/demo/names'

/** A replica's id is a large random number; people get a letter, and a colour with it. Index 0 is A. */
export const letter = (index: number): string =>
  String.fromCharCode(65 + (index % 26)) + (index < 26 ? '' : String(Math.floor(index / 26)))

/** How many colours style/page.css has. */
const COLOURS = 7
export const colourOf = (index: number): string => `var(--member-${index % COLOURS})`

/** Makes a node unless it is there. */
export async function ensure(keeper: Keeper, path: string, data: string | null = null): Promise<void> {
  try {
    await keeper.create(path, data)
  } catch (error) {
    if (!(error instanceof KeeperError && error.code === 'NodeExists')) throw error
  }
}

/** The place of this replica in the one list of all that were ever here: compare and swap until it is in. */
export async function claimName(keeper: Keeper, replica: ReplicaId): Promise<number> {
  await ensure(keeper, '/demo')
  await ensure(keeper, NAMES_PATH, '[]')
  for (;;) {
    await keeper.sync(NAMES_PATH)
    const { data, stat } = await keeper.getData(NAMES_PATH)
    const known = readNames(data)
    const place = known.indexOf(replica)
    if (place >= 0) return place
    try {
      await keeper.setData(NAMES_PATH, JSON.stringify([...known, replica]), { version: stat.version })
      return known.length
    } catch (error) {
      if (!(error instanceof KeeperError && error.code === 'BadVersion')) throw error
    }
  }
}

/** Anybody may edit the tree, so what is no list of numbers counts as an empty one. */
export function readNames(data: Uint8Array | null): readonly number[] {
  try {
    const list: unknown = JSON.parse(new TextDecoder().decode(data ?? undefined))
    return Array.isArray(list) && list.every((one) => typeof one === 'number') ? list : []
  } catch {
    return []
  }
}

/** The index that `letter` gave this to; 0 for what it never gave. */
export function fromLetter(name: string): number {
  const first = name.charCodeAt(0) - 65
  const round = Number(name.slice(1))
  return first >= 0 && first < 26 && Number.isInteger(round) ? round * 26 + first : 0
}

/** The colour itself, for the canvas: `#rrggbb`. */
export const hexOf = (index: number): string =>
  getComputedStyle(document.documentElement)
    .getPropertyValue(`--member-${index % COLOURS}`)
    .trim()
