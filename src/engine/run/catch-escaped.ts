/**
 * Errors that escape user code, charged to the task or run they come from: Node.js reports them in the async context of the code that made
 * the promise or the callback.
 *
 * Installed while an engine is open, once per process. An error that belongs to no run goes where it would go without us: to the program's
 * listeners, or else it ends the process as usual in Node.js.
 */
import { takeFromMicrotasks } from '../../base/microtasks.ts';
import { escapeScope, type EscapeKind } from '../../model/run-context.ts';

const ours = Symbol.for('batuta.catchEscaped');
type Handler = ((error: unknown) => void) & { readonly [ours]?: true };

let holders = 0;
let leaveMicrotasks: (() => void) | null = null;
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
    // A program's listener may keep it alive.
    setImmediate(() => void (holders > 0 && install()));
  }
});

/** Charges escaped errors until the returned function is called; calls nest. */
export function catchEscaped(): () => void {
  if (holders++ === 0) install();
  let isHeld = true;
  return () => {
    if (!isHeld) return;
    isHeld = false;
    if (--holders === 0) uninstall();
  };
}

/** Passes errors that belong to no run to `take`, which ends the process, until the returned function is called. */
export function takeUnchargedErrors(take: (error: unknown) => void): () => void {
  takeUncharged = take;
  return () => {
    if (takeUncharged === take) takeUncharged = null;
  };
}

function charge(error: unknown, how: EscapeKind): boolean {
  const scope = escapeScope();
  if (!scope?.escaped) return false;
  scope.escaped(error, how);
  return true;
}

function install(): void {
  uninstall();
  process.on('uncaughtException', onException);
  process.on('unhandledRejection', onRejection);
  leaveMicrotasks = takeFromMicrotasks((error) => charge(error, 'exception'));
}

function uninstall(): void {
  process.off('uncaughtException', onException);
  process.off('unhandledRejection', onRejection);
  leaveMicrotasks?.();
  leaveMicrotasks = null;
}

/** Whether the program itself listens; another copy of this library does not count. */
function hasOthers(event: 'uncaughtException' | 'unhandledRejection'): boolean {
  return process.listeners(event as 'uncaughtException').some((listener) => (listener as Handler)[ours] !== true);
}

function mark(handler: (error: unknown) => void): Handler {
  return Object.assign(handler, { [ours]: true as const });
}
