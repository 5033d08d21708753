import type { Request } from './protocol.ts'

/** Is it answered from the tree alone, whoever asks: no watch, no session, no order with others? */
export function isPlainRead(request: Request): boolean {
  switch (request.kind) {
    case 'exists':
    case 'getData':
    case 'getChildren':
    case 'getChildren2':
      return !request.watch
    case 'multiRead':
    case 'getAllChildrenNumber':
      return true
    default:
      return false
  }
}
