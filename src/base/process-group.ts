/** Signals to a process with all that it has started. */

/**
 * Sends a signal to the group that a process leads; on Windows, which has none, to the process. Nothing happens when all of it has ended.
 *
 * @param pid of a process that was started as the leader of its group
 */
export function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal);
  } catch {
    // It has ended already.
  }
}
