/** Ends this process, even if one of its threads cannot be ended. */

/** There is one process; the code that ends it does not know its threads. */
let hasStuckThreads = false;

/** A thread executes native code and does not end: `process.exit` would wait for it. */
export function noteStuckThreads(): void {
  hasStuckThreads = true;
}

/** Ends this process with a status, or by SIGKILL if a thread prevents that. Its output has been written. */
export function endProcess(status: number): never {
  if (hasStuckThreads) process.kill(process.pid, 'SIGKILL');
  return process.exit(status);
}
