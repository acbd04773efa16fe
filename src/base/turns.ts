/** Turns of the event loop. */

/** Resolves in a later turn, so that requests, timers and leases get theirs within long work. */
export function letOthersIn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
