import { Keeper } from '../../src/index.ts'
import { measure, prepare } from '../workload.ts'

let keeper: Keeper

window.bench = {
  async open(ensemble) {
    keeper = await Keeper.open({ ensemble })
  },
  async role() {
    return (await keeper.inspect()).role
  },
  async voters() {
    return (await keeper.inspect()).voters.length
  },
  async run(workload) {
    await prepare(keeper, workload.size)
    return await measure(keeper, workload)
  },
}
