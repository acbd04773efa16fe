import { BatutaError } from '../base/errors.ts';
import type { Isolate } from './isolate.ts';

export function threadIsolate(): Isolate {
  return {
    call: async ({ task }) => {
      throw new BatutaError('ISOLATION_UNAVAILABLE', `Task ${task.name} cannot run in a thread.`);
    },
    close: async () => undefined,
  };
}
