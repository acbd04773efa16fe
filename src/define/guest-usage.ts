/** Resource usage of a task in its own guest. */
import { isMainThread } from 'node:worker_threads';
import { getHeapStatistics } from 'node:v8';
import { systemClock } from '../base/clock.ts';
import { peakMemoryOf } from '../base/process-usage.ts';
import { threadCpuMs } from '../base/thread-cpu.ts';
import type { TaskUsage } from '../model/task-usage.ts';

/** How often a thread's heap is sampled, if the task yields. */
const lookEveryMs = 50;
const kib = 1024;

/** Starts measuring; returns a function for the usage so far. In a process all of it counts, with its start and loading the flow. */
export function measureUsage(): () => Omit<TaskUsage, 'scope'> {
  return isMainThread ? ofProcess : ofThread();
}

function ofProcess(): Omit<TaskUsage, 'scope'> {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  // `maxRSS` starts with the memory of the process it was forked from.
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

/** Of this thread: heap and buffers. */
function heapBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}
