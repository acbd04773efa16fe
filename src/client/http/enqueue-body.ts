/** A run to submit, as it travels. */
import type { EnqueueOptions } from '../client.ts';

/** The parameters go as JSON, and the schema of the flow makes of them what it needs. */
export function enqueueBody(params: unknown, { startAt, ...options }: EnqueueOptions): object {
  return {
    ...options,
    ...(params === undefined ? {} : { params }),
    ...(startAt === undefined ? {} : { startAt: new Date(startAt).toISOString() }),
  };
}
