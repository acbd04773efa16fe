/** A run to submit, as it travels. */
import type { EnqueueOptions } from '../client.ts';
import { valueToWire } from './wire-values.ts';

/** The parameters go as superjson, so that dates and the like come through. @throws BatutaError RESULT_NOT_SERIALIZABLE */
export function enqueueBody(params: unknown, { startAt, ...options }: EnqueueOptions): object {
  return {
    ...options,
    ...(params === undefined ? {} : { params: valueToWire(params, 'parameters') }),
    ...(startAt === undefined ? {} : { startAt: new Date(startAt).toISOString() }),
  };
}
