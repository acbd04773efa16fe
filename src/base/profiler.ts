/** Profiles of the calling thread, by the inspector of Node.js. */
import { getHeapStatistics } from 'node:v8';
import { atSources } from './profile-places.ts';

/** Heap figures of a thread, bytes. */
export interface HeapFigures {
  readonly usedBytes: number;
  readonly totalBytes: number;
  readonly limitBytes: number;
  /** Buffers etc., outside it. */
  readonly externalBytes: number;
}

/** A running profile. */
export interface Profiling {
  /** Ends it. @returns text of a `.cpuprofile`, with functions placed in the user's own files */
  stop(): Promise<string>;
}

/** Starts a profile of everything this thread executes. Several may run at the same time. */
export async function startProfiling(): Promise<Profiling> {
  // Loaded here: few processes are profiled.
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
  } catch (error) {
    session.disconnect();
    throw error;
  }
  return {
    async stop() {
      try {
        const { profile } = await session.post('Profiler.stop');
        return JSON.stringify(atSources(profile));
      } finally {
        session.disconnect();
      }
    },
  };
}

/** The heap of this thread now. */
export function heapFigures(): HeapFigures {
  const { used_heap_size, total_heap_size, heap_size_limit, external_memory } = getHeapStatistics();
  return { usedBytes: used_heap_size, totalBytes: total_heap_size, limitBytes: heap_size_limit, externalBytes: external_memory };
}
