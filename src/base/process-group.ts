/** Signals to a process and everything it started. */

/**
 * Sends a signal to the group a process leads; on Windows, which has none, to the process. No effect if all of it has ended.
 *
 * @param pid of a process started as its group's leader
 */
export function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal);
  } catch {
    // It has ended already.
  }
}
