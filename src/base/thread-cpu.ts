/** CPU time of a single thread, which Node.js 20 does not tell. */
import { readFileSync } from 'node:fs';
import { loopBusyMs } from './clock.ts';

type WithThreadCpu = typeof process & { threadCpuUsage?: () => { readonly user: number; readonly system: number } };

/**
 * CPU time of the calling thread, ms; only differences mean something. The last figure again where it cannot be read for the moment, for want of
 * file descriptors for example.
 *
 * Where the thread cannot be asked (Node.js before 23.9 elsewhere than on Linux) it is the time in which its event loop was busy, which counts the time
 * in which others had the processor.
 */
export function threadCpuMs(): number {
  return read();
}

let read = (): number => {
  read = (process as WithThreadCpu).threadCpuUsage ? fromNode : (readLinux() ?? 0) > 0 ? fromLinux : loopBusyMs;
  return read();
};

function fromNode(): number {
  const { user, system } = (process as WithThreadCpu).threadCpuUsage?.() ?? { user: 0, system: 0 };
  return (user + system) / 1000;
}

let lastMs = 0;

function fromLinux(): number {
  return (lastMs = readLinux() ?? lastMs);
}

/** The first number: nanoseconds on a processor, up to date to a tick of the scheduler (1 to 10 ms). Null where there is none. */
function readLinux(): number | null {
  try {
    const nanoseconds = Number.parseInt(readFileSync('/proc/thread-self/schedstat', 'latin1'), 10);
    return Number.isNaN(nanoseconds) ? null : nanoseconds / 1e6;
  } catch {
    return null;
  }
}
