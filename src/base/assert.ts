/** A broken invariant of ours. It stops the replica, which restarts from its log: crash-stop is what Zab tolerates. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Stays on in production. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** A case that the types say cannot happen. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String((value as { kind?: string })?.kind ?? value)}`)
}
