import { type Keeper, KeeperError, type Stat } from '../src/index.ts'
import { h } from './dom.ts'
import type { Place } from './seat.ts'
import { childOf, parentOf } from './tree-words.ts'

const SHOWN = 200
const REDRAW_AFTER = 150

interface Row {
  readonly path: string
  readonly name: string
  readonly level: number
}

interface Known {
  readonly children: readonly string[]
  readonly stats: ReadonlyMap<string, Stat>
}

/** The znode tree, read as far as it is unfolded, and kept up by one recursive watch. */
export class TreePanel {
  readonly #root: HTMLElement
  readonly #selected: (path: string) => void
  readonly #touched: (path: string) => void
  readonly #open = new Set<string>(['/', '/demo'])
  readonly #known = new Map<string, Known>()
  readonly #stale = new Set<string>()
  #rows: Row[] = []
  #at = '/'
  #keeper: Keeper | null = null
  #timer: ReturnType<typeof setTimeout> | null = null

  /** `selected`: show this one; `touched`: this path was created, changed or deleted. */
  constructor(root: HTMLElement, selected: (path: string) => void, touched: (path: string) => void) {
    this.#root = root
    this.#selected = selected
    this.#touched = touched
    root.addEventListener('keydown', (event) => this.#key(event))
    root.addEventListener('click', (event) => this.#click(event))
  }

  /** Follows the tree as long as the session lasts. */
  async attach({ keeper, signal }: Place): Promise<void> {
    this.#keeper = keeper
    try {
      const notices = await keeper.watch('/', { recursive: true, signal })
      this.#reload([...this.#open])
      this.#selected(this.#at)
      for await (const { type, path } of notices) {
        if (type === 'lost' || type === 'resumed') continue
        if (type === 'resync') this.#reload([...this.#open])
        else if (type === 'NodeDataChanged') this.#touched(path)
        else {
          this.#touched(path)
          this.#reload([parentOf(path), parentOf(parentOf(path))])
        }
      }
    } catch (error) {
      if (!(error instanceof KeeperError)) throw error
    }
  }

  /** Unfolds everything above and moves there. */
  async reveal(path: string): Promise<void> {
    for (let up = parentOf(path); ; up = parentOf(up)) {
      this.#open.add(up)
      await this.#read(up)
      if (up === '/') break
    }
    this.#at = path
    this.#draw()
    this.#selected(path)
  }

  /** Changes come in showers: they are read together. */
  #reload(paths: readonly string[]): void {
    for (const path of paths) if (this.#open.has(path)) this.#stale.add(path)
    if (this.#stale.size === 0) return
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      const now = [...this.#stale]
      this.#stale.clear()
      void Promise.all(now.map((path) => this.#read(path))).then(() => this.#draw())
    }, REDRAW_AFTER)
  }

  async #read(path: string): Promise<void> {
    const keeper = this.#keeper
    if (keeper === null) return
    try {
      const { children } = await keeper.getChildren(path)
      const names = children.slice(0, SHOWN)
      const found = await Promise.all(names.map((name) => keeper.exists(childOf(path, name))))
      const stats = new Map<string, Stat>()
      names.forEach((name, i) => {
        const stat = found[i]
        if (stat != null) stats.set(name, stat)
      })
      this.#known.set(path, { children, stats })
    } catch (error) {
      if (!(error instanceof KeeperError)) throw error
      if (error.code !== 'NoNode') return
      this.#known.delete(path)
      if (path !== '/demo') this.#open.delete(path)
    }
  }

  #draw(): void {
    const focused = this.#root.contains(document.activeElement)
    this.#rows = []
    const items: HTMLElement[] = []
    this.#list('/', '/', 1, items)
    if (!this.#rows.some(({ path }) => path === this.#at)) {
      this.#at = parentOf(this.#at)
      if (this.#rows.some(({ path }) => path === this.#at)) this.#selected(this.#at)
      else this.#at = '/'
      return this.#draw()
    }
    this.#root.replaceChildren(...items)
    if (focused) this.#focus()
  }

  #list(path: string, name: string, level: number, items: HTMLElement[]): void {
    this.#rows.push({ path, name, level })
    const open = this.#open.has(path)
    const known = this.#known.get(path)
    const stat = this.#known.get(parentOf(path))?.stats.get(name)
    const count = path === '/' ? (known?.children.length ?? 0) : (stat?.numChildren ?? known?.children.length ?? 0)
    const here = path === this.#at
    items.push(
      h(
        'div',
        {
          role: 'treeitem',
          'aria-level': level,
          'aria-selected': String(here),
          'aria-expanded': count > 0 ? String(open) : null,
          tabindex: here ? 0 : -1,
          'data-path': path,
          style: `--level: ${level - 1}`,
        },
        h('span', { class: 'twisty', 'aria-hidden': 'true' }, count > 0 ? '▸' : ''),
        h('span', { class: 'znode' }, name),
        ...(stat !== undefined && stat.ephemeralOwner !== 0n ? [h('span', { class: 'tag' }, 'ephemeral')] : []),
        ...(count > 0 ? [h('span', { class: 'tag plain' }, String(count))] : []),
      ),
    )
    if (!open || known === undefined) return
    for (const child of known.children.slice(0, SHOWN)) this.#list(childOf(path, child), child, level + 1, items)
    const more = known.children.length - SHOWN
    if (more > 0) items.push(h('div', { role: 'none', class: 'more', style: `--level: ${level}` }, `and ${more} more`))
  }

  #focus(): void {
    this.#root.querySelector<HTMLElement>('[aria-selected="true"]')?.focus({ preventScroll: false })
  }

  #go(path: string): void {
    this.#at = path
    this.#draw()
    this.#focus()
    this.#selected(path)
  }

  #fold(path: string, open: boolean): void {
    if (open) this.#open.add(path)
    else this.#open.delete(path)
    void this.#read(path).then(() => this.#draw())
  }

  #click(event: Event): void {
    const item = (event.target as Element).closest<HTMLElement>('[data-path]')
    const path = item?.dataset['path']
    if (item === null || path === undefined) return
    const open = this.#open.has(path)
    if (path === this.#at || !open || (event.target as Element).classList.contains('twisty')) this.#fold(path, !open)
    this.#go(path)
  }

  #key(event: KeyboardEvent): void {
    const index = this.#rows.findIndex(({ path }) => path === this.#at)
    const row = this.#rows[index]
    if (row === undefined) return
    const open = this.#open.has(row.path)
    const next = this.#rows[index + 1]
    const to = {
      ArrowDown: next?.path,
      ArrowUp: this.#rows[index - 1]?.path,
      Home: this.#rows[0]?.path,
      End: this.#rows.at(-1)?.path,
      ArrowLeft: open ? undefined : parentOf(row.path),
      ArrowRight: open && next !== undefined && next.level > row.level ? next.path : undefined,
    }[event.key]
    if (to !== undefined) this.#go(to)
    else if (event.key === 'ArrowRight' && !open) this.#fold(row.path, true)
    else if (event.key === 'ArrowLeft' && open) this.#fold(row.path, false)
    else if (event.key === 'Enter' || event.key === ' ') this.#fold(row.path, !open)
    else return
    event.preventDefault()
  }
}
