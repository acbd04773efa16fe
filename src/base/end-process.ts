/** The end of this process, also where one of its threads cannot be ended. */

/** There is one process, and whoever ends it knows nothing of its threads. */
let hasStuckThreads = false;

/** A thread of this process executes native code and does not end: `process.exit` would wait for it. */
export function noteStuckThreads(): void {
  hasStuckThreads = true;
}

/** Ends this process with a status, or by SIGKILL where a thread keeps it from that. What it had to write is written. */
export function endProcess(status: number): never {
  if (hasStuckThreads) process.kill(process.pid, 'SIGKILL');
  return process.exit(status);
}
