/** What a process does when asked to end. */
import { constants } from 'node:os';

export type ShutdownSignal = 'SIGINT' | 'SIGTERM';

const shutdownSignals: readonly ShutdownSignal[] = ['SIGINT', 'SIGTERM'];

/** Exit status that tells a shell that a signal ended a process: 130 for SIGINT, 143 for SIGTERM. */
export function exitStatusOf(signal: ShutdownSignal): number {
  return 128 + constants.signals[signal];
}

/**
 * Calls `handler` once, on the first SIGINT or SIGTERM; a second one, of either kind, ends the process at once with 130 or 143. Returns a
 * function that undoes this.
 *
 * A handler that throws or rejects ends the process with the status of its signal.
 */
export function onShutdown(handler: (signal: ShutdownSignal) => void | Promise<void>): () => void {
  let asked = false;
  const listener = (signal: NodeJS.Signals): void => {
    const kind = signal === 'SIGTERM' ? 'SIGTERM' : 'SIGINT';
    if (asked) process.exit(exitStatusOf(kind));
    asked = true;
    void runHandler(handler, kind);
  };
  for (const signal of shutdownSignals) process.on(signal, listener);
  return () => {
    for (const signal of shutdownSignals) process.off(signal, listener);
  };
}

async function runHandler(handler: (signal: ShutdownSignal) => void | Promise<void>, signal: ShutdownSignal): Promise<void> {
  try {
    await handler(signal);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(exitStatusOf(signal));
  }
}
