/** A user value as a file. */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { BatutaError, type ErrorDetails } from '../base/errors.ts';
import type { ResultStorage } from '../engine/results/storage.ts';
import type { StoredValue } from '../engine/values/results.ts';
import { refuseSealed } from '../model/values.ts';

export interface ValueToSend {
  readonly results: ResultStorage;
  /** Undefined if nothing was recorded. */
  readonly stored: StoredValue | undefined;
  /** File name without extension: letters, digits and hyphens only. */
  readonly name: string;
  /** The error if there is no value. */
  readonly missing: { readonly message: string; readonly details: ErrorDetails };
}

/** Sends JSON that a browser saves instead of showing it, as fast as it is read. @throws BatutaError RESULT_MISSING */
export async function sendValue(reply: FastifyReply, { results, stored, name, missing }: ValueToSend): Promise<FastifyReply> {
  if (!stored || (stored.result === null && stored.resultRef === null))
    throw new BatutaError('RESULT_MISSING', missing.message, { details: missing.details });
  if (stored.result !== null) refuseSealed(stored.result);
  const value = stored.resultRef === null ? Buffer.from(stored.result ?? '') : Readable.from(await results.stream(stored.resultRef));
  return reply.type('application/json; charset=utf-8').header('content-disposition', `attachment; filename="${name}.json"`).send(value);
}
