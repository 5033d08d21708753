import { Keeper } from 'tabkeeper'

const keeper = await Keeper.open({ ensemble: 'package-test' })

const app = {
  async write(path: string, text: string): Promise<void> {
    await keeper.create(path, text)
  },
  async read(path: string): Promise<string> {
    await keeper.sync(path)
    const { data } = await keeper.getData(path)
    return new TextDecoder().decode(data ?? new Uint8Array())
  },
}

declare global {
  interface Window {
    app: typeof app
  }
}

window.app = app
