type Attributes = Readonly<Record<string, string | number | boolean | null>>

/** The page's element of that id; the markup is in index.html. */
export function byId<T extends Element>(id: string, type: new () => T): T {
  const found = document.getElementById(id)
  if (!(found instanceof type)) throw new Error(`index.html has no ${type.name} with the id ${id}`)
  return found
}

function fill<T extends Element>(element: T, attributes: Attributes, children: readonly (Node | string)[]): T {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value === true ? '' : String(value))
  }
  element.append(...children)
  return element
}

/** An element whose text is always text, never markup. */
export const h = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] => fill(document.createElement(tag), attributes, children)

export const svg = <K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): SVGElementTagNameMap[K] => fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children)

/** What to do when a button is pressed; failures go to `failed`. */
export function onPress(button: HTMLButtonElement, act: () => Promise<void> | void, failed: (error: unknown) => void) {
  button.addEventListener('click', () => {
    try {
      Promise.resolve(act()).catch(failed)
    } catch (error) {
      failed(error)
    }
  })
}

/** `A`, `A and B`, `A, B and C`. */
export const listed = (words: readonly string[]): string =>
  words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`

export const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

export const saying = (error: unknown): string => (error instanceof Error ? error.message : String(error))
