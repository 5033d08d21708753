/** Options of the form `--name value`. */
export class CommandLine {
  readonly #args: readonly string[]

  constructor(args: readonly string[]) {
    this.#args = args
  }

  has(name: string): boolean {
    return this.#args.includes(`--${name}`)
  }

  value(name: string): string | undefined {
    const at = this.#args.indexOf(`--${name}`)
    return at < 0 ? undefined : this.#args[at + 1]
  }

  number(name: string, otherwise: number): number {
    const value = Number(this.value(name) ?? otherwise)
    if (Number.isNaN(value)) throw new Error(`--${name} ${this.value(name)}: not a number`)
    return value
  }

  /** `A-B`, or one seed. */
  range(name: string, otherwise: readonly [number, number]): readonly [number, number] {
    const value = this.value(name)
    if (value === undefined) return otherwise
    const [from = Number.NaN, to = from] = value.split('-').map(Number)
    if (Number.isNaN(from) || Number.isNaN(to)) throw new Error(`--${name} ${value}: not a range`)
    return [from, to]
  }

  /** All but these options and their values. */
  without(...names: readonly string[]): string[] {
    return this.#args.filter(
      (arg, i) => !names.includes(arg.slice(2)) && !names.includes((this.#args[i - 1] ?? '').slice(2)),
    )
  }
}
