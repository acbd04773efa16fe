/** Notices when user code ends the process. */

/**
 * Calls `tell` when something calls `process.exit`, until the returned function is called. Exit status 0 becomes 1: a supervisor or shell
 * must not take it for success. Uncaught errors are left to Node.js.
 *
 * @param tell synchronous; nothing runs after it
 */
export function onForeignExit(tell: (status: number) => void): () => void {
  let isUncaught = false;
  const noteUncaught = (): void => {
    isUncaught = true;
    // The process may survive it: a flow's error is charged to its task.
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
