/** What becomes of a process when code of its users ends it. */

/**
 * Calls `tell` when something ends the process with `process.exit`, until it is taken back by the function given. The exit status 0 becomes
 * 1: a supervisor, or a shell, must not take it for a proper end. Of an uncaught error Node.js tells by itself.
 *
 * @param tell must be done when it returns
 */
export function onForeignExit(tell: (status: number) => void): () => void {
  let isUncaught = false;
  const noteUncaught = (): void => {
    isUncaught = true;
    // The process may outlive it: a flow's error is charged to its task.
    setImmediate(() => (isUncaught = false));
  };
  const onExit = (status: number): void => {
    if (isUncaught) return;
    if (status === 0) process.exitCode = 1;
    tell(status);
  };
  process.on('uncaughtExceptionMonitor', noteUncaught);
  process.on('exit', onExit);
  return () => {
    process.off('uncaughtExceptionMonitor', noteUncaught);
    process.off('exit', onExit);
  };
}
