import { Keeper } from 'tabkeeper'

const keeper = await Keeper.open({ ensemble: 'package-test' })

window.app = {
  async write(path, text) {
    await keeper.create(path, text)
  },
  async read(path) {
    await keeper.sync(path)
    const { data } = await keeper.getData(path)
    return new TextDecoder().decode(data)
  },
}
