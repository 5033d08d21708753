import { checkPath } from './arguments.ts'

/** A client's paths are relative to its chroot; the server's are not. The chroot node itself need not exist. */
export class Chroot {
  /** Empty for none. */
  readonly #prefix: string

  constructor(path: string | undefined) {
    if (path !== undefined) checkPath(path, 'chroot')
    this.#prefix = path === undefined || path === '/' ? '' : path
  }

  /** To the server's path. */
  absolute(path: string): string {
    if (this.#prefix === '') return path
    return path === '/' ? this.#prefix : this.#prefix + path
  }

  /** To the client's path. What lies outside (a sequential sibling of the chroot itself) stays as the server named it. */
  relative(path: string): string {
    if (path === this.#prefix) return '/'
    return this.holds(path) ? path.slice(this.#prefix.length) : path
  }

  holds(path: string): boolean {
    return path === this.#prefix || path.startsWith(`${this.#prefix}/`)
  }
}
