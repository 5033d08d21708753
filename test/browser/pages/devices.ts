import * as tabkeeper from '../../../src/index.ts'

window.tabkeeper = tabkeeper
