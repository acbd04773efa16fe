/**
 * Keeps a run's code from ending the process that others share: `process.exit`, `process.abort` and a signal to itself are refused there
 * and fail the task. For processes of the command line; a program that embeds Batuta may end itself as it likes.
 */
import { syncBuiltinESMExports } from 'node:module';
import { BatutaError } from '../../base/errors.ts';
import { escapeScope } from '../../model/run-context.ts';

/** Refuses until the returned function is called. */
export function refuseExits(): () => void {
  const { exit, abort, kill } = process;
  process.exit = (code) => {
    refuse(`process.exit(${code ?? ''})`);
    return exit.call(process, code);
  };
  process.abort = () => {
    refuse('process.abort()');
    return abort.call(process);
  };
  process.kill = (pid, signal) => {
    // 0 only checks for existence.
    if (pid === process.pid && signal !== 0) refuse(`process.kill(process.pid, ${JSON.stringify(signal ?? 'SIGTERM')})`);
    return kill.call(process, pid, signal);
  };
  // For `import { exit } from 'node:process'`.
  syncBuiltinESMExports();
  return () => {
    Object.assign(process, { exit, abort, kill });
    syncBuiltinESMExports();
  };
}

function refuse(call: string): void {
  const scope = escapeScope();
  if (!scope?.escaped) return;
  const where = scope.task === null ? `the flow ${scope.flow}` : `task ${scope.task}`;
  const error = new BatutaError('ERROR_ESCAPED', `Code of ${where} called ${call}; a task ends by returning or throwing.`, {
    details: { runId: scope.runId === '' ? null : scope.runId, task: scope.task, call },
  });
  scope.escaped(error, 'exit');
  throw error;
}
