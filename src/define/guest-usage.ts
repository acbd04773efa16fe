/** What a task uses of the guest that it has to itself. */
import { isMainThread } from 'node:worker_threads';
import { getHeapStatistics } from 'node:v8';
import { systemClock } from '../base/clock.ts';
import { peakMemoryOf } from '../base/process-usage.ts';
import { threadCpuMs } from '../base/thread-cpu.ts';
import type { TaskUsage } from '../model/task-usage.ts';

/** How often the heap of a thread is looked at, where the task lets go. */
const lookEveryMs = 50;
const kib = 1024;

/** Begins to measure; gives what was used until then. In a process all of it counts, its start and the loading of the flow included. */
export function measureUsage(): () => Omit<TaskUsage, 'scope'> {
  return isMainThread ? ofProcess : ofThread();
}

function ofProcess(): Omit<TaskUsage, 'scope'> {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  // What `maxRSS` says begins with the memory of the process that this one was forked from.
  return { cpuMs: (userCPUTime + systemCPUTime) / 1000, peakBytes: peakMemoryOf('self') ?? maxRSS * kib };
}

function ofThread(): () => Omit<TaskUsage, 'scope'> {
  const begun = threadCpuMs();
  let peakBytes = heapBytes();
  const look = (): void => {
    peakBytes = Math.max(peakBytes, heapBytes());
  };
  let timer = systemClock.setTimer(lookEveryMs, lookAgain, { unref: true });
  function lookAgain(): void {
    look();
    timer = systemClock.setTimer(lookEveryMs, lookAgain, { unref: true });
  }
  return () => {
    timer.cancel();
    look();
    return { cpuMs: threadCpuMs() - begun, peakBytes };
  };
}

/** Of this thread: its heap, and the bytes of its buffers. */
function heapBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}
