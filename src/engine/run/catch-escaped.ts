/**
 * Errors that escape user code, charged to the task or run they come from: the async context in which Node.js reports them is that of
 * the code that made the promise or the callback.
 *
 * Installed while an engine is open, once a process. An error that is none of a run takes the way it would take without us: to listeners of
 * the program, or else to the end of the process as Node.js tells it.
 */
import { currentScope, type EscapeKind } from '../../model/run-context.ts';

const ours = Symbol.for('batuta.catchEscaped');
type Handler = ((error: unknown) => void) & { readonly [ours]?: true };

let holders = 0;
let takeUncharged: ((error: unknown) => void) | null = null;

const onException: Handler = mark((error) => {
  if (charge(error, 'exception')) return;
  if (takeUncharged) takeUncharged(error);
  else if (!hasOthers('uncaughtException')) {
    uninstall();
    process.nextTick(() => {
      throw error;
    });
  }
});

const onRejection: Handler = mark((reason) => {
  if (charge(reason, 'rejection')) return;
  if (takeUncharged) takeUncharged(reason);
  else if (!hasOthers('unhandledRejection')) {
    uninstall();
    void Promise.reject(reason);
    // A listener of the program may keep it alive.
    setImmediate(() => void (holders > 0 && install()));
  }
});

/** Charges escaped errors until the function given is called; several may hold it. */
export function catchEscaped(): () => void {
  if (holders++ === 0) install();
  let isHeld = true;
  return () => {
    if (!isHeld) return;
    isHeld = false;
    if (--holders === 0) uninstall();
  };
}

/** Has errors that are none of a run given to `take`, which ends the process, until the function given is called. */
export function takeUnchargedErrors(take: (error: unknown) => void): () => void {
  takeUncharged = take;
  return () => {
    if (takeUncharged === take) takeUncharged = null;
  };
}

function charge(error: unknown, how: EscapeKind): boolean {
  const scope = currentScope();
  if (!scope?.escaped) return false;
  scope.escaped(error, how);
  return true;
}

function install(): void {
  uninstall();
  process.on('uncaughtException', onException);
  process.on('unhandledRejection', onRejection);
}

function uninstall(): void {
  process.off('uncaughtException', onException);
  process.off('unhandledRejection', onRejection);
}

/** Whether the program listens itself; another copy of this library does not count. */
function hasOthers(event: 'uncaughtException' | 'unhandledRejection'): boolean {
  return process.listeners(event as 'uncaughtException').some((listener) => (listener as Handler)[ours] !== true);
}

function mark(handler: (error: unknown) => void): Handler {
  return Object.assign(handler, { [ours]: true as const });
}
