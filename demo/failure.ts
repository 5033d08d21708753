import type { KeeperError } from '../src/index.ts'
import { byId } from './dom.ts'

const WHAT: Readonly<Partial<Record<KeeperError['code'], string>>> = {
  Unsupported: 'This browser, or this page, lacks something that an ensemble needs.',
  StorageFailed: 'This page cannot keep a log: its database does not open. A private window may be the reason.',
  UpdateNeeded: 'Another tab runs a later version of this page. Reload this one.',
  EnsembleMismatch: 'Another ensemble of the same name is here already.',
}

/** Replaces the page by what is missing, in the library's own words. */
export function showFailure(error: KeeperError): void {
  byId('failure-what', HTMLElement).textContent = WHAT[error.code] ?? 'The ensemble could not start.'
  byId('failure-why', HTMLElement).textContent = error.message
  byId('page', HTMLElement).hidden = true
  byId('failure', HTMLElement).hidden = false
}
