/** CPU time of one thread, which Node.js 20 does not report. */
import { readFileSync } from 'node:fs';
import { loopBusyMs } from './clock.ts';

type WithThreadCpu = typeof process & { threadCpuUsage?: () => { readonly user: number; readonly system: number } };

/**
 * CPU time of the calling thread, ms; only differences matter. The last figure again if it is temporarily unreadable, e.g. without free
 * file descriptors.
 *
 * If the thread's is unavailable (Node.js before 23.9, except on Linux) it is the busy time of its event loop, which includes time when
 * others had the processor.
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

/** The first number: nanoseconds on a processor, accurate to a scheduler tick (1 to 10 ms). Null if there is none. */
function readLinux(): number | null {
  try {
    const nanoseconds = Number.parseInt(readFileSync('/proc/thread-self/schedstat', 'latin1'), 10);
    return Number.isNaN(nanoseconds) ? null : nanoseconds / 1e6;
  } catch {
    return null;
  }
}
