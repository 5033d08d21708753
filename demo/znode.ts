import { type CreateMode, formatZxid, type Stat, type Zxid } from '../src/index.ts'
import { byId, h, onPress } from './dom.ts'
import type { Place } from './seat.ts'
import { asHex, asText, childOf, factsOf, inWords } from './tree-words.ts'

/** One znode: its data and Stat, to edit, delete, or give a child. */
export class ZnodePanel {
  readonly #moved: (path: string) => Promise<void>
  readonly #path = byId('znode-path', HTMLElement)
  readonly #data = byId('znode-data', HTMLTextAreaElement)
  readonly #facts = byId('znode-facts', HTMLElement)
  readonly #error = byId('znode-error', HTMLElement)
  readonly #news = byId('znode-news', HTMLElement)
  readonly #save = byId('znode-save', HTMLButtonElement)
  readonly #delete = byId('znode-delete', HTMLButtonElement)
  readonly #name = byId('child-name', HTMLInputElement)
  readonly #childData = byId('child-data', HTMLInputElement)
  readonly #mode = byId('child-mode', HTMLSelectElement)
  #place: Place | null = null
  #at = '/'
  #version = -1
  #loaded = ''

  /** `moved`: show this znode instead. */
  constructor(moved: (path: string) => Promise<void>) {
    this.#moved = moved
    const failed = (error: unknown) => this.#say(inWords(error))
    onPress(this.#save, () => this.#saveData(), failed)
    onPress(this.#delete, () => this.#deleteNode(), failed)
    onPress(byId('znode-load', HTMLButtonElement), () => this.show(this.#at), failed)
    byId('child-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault()
      this.#createChild().catch(failed)
    })
    this.#data.addEventListener('input', () => this.#enable())
  }

  attach(place: Place): void {
    this.#place = place
  }

  async show(path: string): Promise<void> {
    this.#at = path
    this.#path.textContent = path
    this.#say('')
    this.#news.textContent = ''
    await this.#load()
  }

  /** Somebody touched this path: what is being edited here is not overwritten. */
  async touched(path: string): Promise<void> {
    if (path !== this.#at) return
    if (this.#data.value === this.#loaded) await this.#load()
    else this.#news.textContent = 'It was changed meanwhile by somebody else. “Load again” shows the new data.'
  }

  async #load(): Promise<void> {
    const at = this.#at
    if (this.#place === null) return
    try {
      const { data, stat } = await this.#place.keeper.getData(at)
      if (at === this.#at) this.#fill(data, stat)
    } catch (error) {
      if (at !== this.#at) return
      this.#facts.replaceChildren()
      this.#data.disabled = true
      this.#save.disabled = true
      this.#delete.disabled = true
      this.#say(inWords(error))
    }
  }

  #fill(data: Uint8Array | null, stat: Stat): void {
    const text = asText(data)
    this.#loaded = text ?? asHex(data ?? new Uint8Array())
    this.#data.value = this.#loaded
    this.#data.disabled = false
    this.#data.readOnly = text === null
    this.#data.placeholder = 'No data. Type some and save.'
    this.#version = stat.version
    const rows = factsOf(stat, (zxid) => formatZxid(zxid as Zxid))
    this.#facts.replaceChildren(...rows.flatMap(([term, words]) => [h('dt', {}, term), h('dd', {}, words)]))
    this.#enable()
  }

  #enable(): void {
    this.#save.disabled = this.#data.readOnly || this.#data.value === this.#loaded
    this.#delete.disabled = this.#at === '/'
  }

  #say(words: string): void {
    this.#error.textContent = words
  }

  #keeper(): Place['keeper'] {
    if (this.#place === null) throw new Error('There is no session yet: wait until the ensemble has formed.')
    return this.#place.keeper
  }

  async #saveData(): Promise<void> {
    const data = this.#data.value
    const stat = await this.#keeper().setData(this.#at, data, { version: this.#version })
    this.#news.textContent = `Saved as version ${stat.version}.`
    this.#say('')
    this.#loaded = data
    await this.#load()
  }

  async #deleteNode(): Promise<void> {
    const path = this.#at
    await this.#keeper().delete(path, { version: this.#version })
    await this.#moved(path.slice(0, path.lastIndexOf('/')) || '/')
    this.#news.textContent = `Deleted ${path}.`
  }

  async #createChild(): Promise<void> {
    const name = this.#name.value.trim()
    const mode = this.#mode.value as CreateMode
    if (name === '' && !mode.endsWith('Sequential')) {
      this.#name.focus()
      throw new Error('Give the child a name.')
    }
    const { path } = await this.#keeper().create(childOf(this.#at, name), this.#childData.value || null, { mode })
    this.#name.value = ''
    this.#childData.value = ''
    await this.#moved(path)
    this.#news.textContent = `Created ${path}.`
  }
}
