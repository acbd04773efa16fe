/** CPU time of a single thread, which Node.js 20 does not tell. */
import { readFileSync } from 'node:fs';
import { loopBusyMs } from './clock.ts';

type WithThreadCpu = typeof process & { threadCpuUsage?: () => { readonly user: number; readonly system: number } };

/**
 * CPU time of the calling thread, ms; only differences mean something.
 *
 * Where the thread cannot be asked (Node.js before 23.9 elsewhere than on Linux) it is the time in which its event loop was busy, which counts the time
 * in which others had the processor.
 */
export function threadCpuMs(): number {
  return read();
}

let read = (): number => {
  read = (process as WithThreadCpu).threadCpuUsage ? fromNode : isReadable() ? fromLinux : loopBusyMs;
  return read();
};

function fromNode(): number {
  const { user, system } = (process as WithThreadCpu).threadCpuUsage?.() ?? { user: 0, system: 0 };
  return (user + system) / 1000;
}

/** The first number: nanoseconds on a processor, up to date to a tick of the scheduler (1 to 10 ms). */
function fromLinux(): number {
  return Number.parseInt(readFileSync('/proc/thread-self/schedstat', 'latin1'), 10) / 1e6;
}

function isReadable(): boolean {
  try {
    return fromLinux() > 0;
  } catch {
    return false;
  }
}
