/** A run's emissions, as streamed by a server. */
import type { Emission } from '../../model/emission.ts';
import { decodeValue } from '../../model/values.ts';
import { BatutaError } from '../../base/errors.ts';
import { checkStreamOptions } from '../emissions.ts';
import type { StreamOptions } from '../handle.ts';
import { type CutValue, fromWire, type Wire, type WireValue } from '../wire.ts';
import type { Api } from './api.ts';
import { followItems } from './follow-items.ts';
import { pathTo, textOfValue } from './wire-values.ts';

interface SentEmission extends Wire<Omit<Emission, 'value'>> {
  readonly value: WireValue | CutValue | null;
  readonly isMissing?: true;
}

/**
 * Continues after the last value, until the run has ended.
 *
 * @param path of the run
 * @throws BatutaError NAME_INVALID, FILTER_INVALID, RUN_NOT_FOUND, RESULT_MISSING, UNAUTHENTICATED, FORBIDDEN and what else the server
 *   answers
 */
export async function* emittedOverHttp(api: Api, path: string, stream: string, options: StreamOptions): AsyncGenerator<Emission> {
  checkStreamOptions(stream, options);
  const { after = 0, signal } = options;
  /** Number of the last value received. */
  let last = after;
  const sent = followItems<SentEmission>(api, `${path}/${pathTo(['streams', stream, 'events'])}`, {
    lastId: after === 0 ? undefined : String(after),
    signal,
    read({ type, data }) {
      if (type !== 'value') return type === 'end' ? 'end' : null;
      const emission = JSON.parse(data) as SentEmission;
      // May arrive again if the connection was cut after it.
      if (emission.seq <= last) return null;
      last = emission.seq;
      return emission;
    },
  });
  for await (const emission of sent) yield await emissionOf(api, emission);
}

async function emissionOf(api: Api, { value, isMissing, ...sent }: SentEmission): Promise<Emission> {
  const emission = fromWire<Omit<Emission, 'value'>>(sent);
  if (isMissing)
    throw new BatutaError('RESULT_MISSING', `Value ${emission.seq} of the stream '${emission.stream}' is gone or damaged.`, {
      details: { stream: emission.stream, seq: emission.seq },
    });
  return { ...emission, value: decodeValue(await textOfValue(api, value)) };
}
