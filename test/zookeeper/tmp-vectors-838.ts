import { Report } from './report.ts'
import { vectors } from './vectors.ts'

const r = new Report()
await vectors(r)
process.exit(r.sum())
