/** Profiles of the thread that asks, by the inspector of Node.js. */
import { Session } from 'node:inspector/promises';
import { getHeapStatistics } from 'node:v8';
import { atSources } from './profile-places.ts';

/** What is known of the heap of a thread, bytes. */
export interface HeapFigures {
  readonly usedBytes: number;
  readonly totalBytes: number;
  readonly limitBytes: number;
  /** Buffers and the like, outside of it. */
  readonly externalBytes: number;
}

/** A profile that is being taken. */
export interface Profiling {
  /** Ends it. @returns text of a `.cpuprofile`, with the places of functions in the user's own files */
  stop(): Promise<string>;
}

/** Begins to take a profile of this thread, of all that it executes. Several may be taken at the same time. */
export async function startProfiling(): Promise<Profiling> {
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

/** The heap of this thread at this moment. */
export function heapFigures(): HeapFigures {
  const { used_heap_size, total_heap_size, heap_size_limit, external_memory } = getHeapStatistics();
  return { usedBytes: used_heap_size, totalBytes: total_heap_size, limitBytes: heap_size_limit, externalBytes: external_memory };
}
