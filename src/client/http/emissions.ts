/** A run's emissions, as streamed by a server. */
import type { Emission } from '../../model/emission.ts';
import { decodeValue } from '../../model/values.ts';
import { BatutaError } from '../../base/errors.ts';
import { checkStreamOptions } from '../emissions.ts';
import type { StreamOptions } from '../handle.ts';
import { type CutValue, fromWire, type Wire, type WireValue } from '../wire.ts';
import type { Api } from './api.ts';
import { followEvents } from './event-stream.ts';
import { textOfValue } from './wire-values.ts';

interface SentEmission extends Wire<Omit<Emission, 'value'>> {
  readonly value: WireValue | CutValue | null;
  readonly isMissing?: true;
}

/**
 * Continues after the last value across lost connections and server restarts. A slow reader is not sent more than it takes.
 *
 * @param path of the run
 * @throws BatutaError NAME_INVALID, FILTER_INVALID, RUN_NOT_FOUND, RESULT_MISSING, UNAUTHENTICATED, FORBIDDEN and what else the server
 *   answers
 */
export async function* emittedOverHttp(api: Api, path: string, stream: string, options: StreamOptions): AsyncGenerator<Emission> {
  checkStreamOptions(stream, options);
  const { after, signal } = options;
  const over = new AbortController();
  const ended = AbortSignal.any([over.signal, api.closed, ...(signal ? [signal] : [])]);
  const waiting: SentEmission[] = [];
  /** Number of the last value received. */
  let last = after ?? 0;
  let wake: () => void = () => undefined;
  let taken: () => void = () => undefined;
  let state = 'open' as 'open' | 'ended' | 'left';
  const take = (sent: SentEmission): void => {
    // May arrive again if the connection was cut after it.
    if (sent.seq <= last) return;
    last = sent.seq;
    waiting.push(sent);
  };
  const following = followEvents(api, `${path}/streams/${encodeURIComponent(stream)}/events`, {
    query: {},
    signal: ended,
    ...(after === undefined || after === 0 ? {} : { lastId: String(after) }),
    onEvent({ type, data }) {
      if (type === 'value') take(JSON.parse(data) as SentEmission);
      if (type === 'end') {
        state = 'ended';
        // Nothing comes after it; do not reconnect.
        over.abort();
      }
      wake();
    },
    onState: () => undefined,
    onTaken: () => (ended.aborted || waiting.length === 0 ? Promise.resolve() : new Promise((resolve) => (taken = resolve))),
  }).finally(() => {
    if (state === 'open') state = 'left';
    wake();
  });
  ended.addEventListener('abort', () => (wake(), taken()), { once: true });
  const isStopped = (): boolean => api.closed.aborted || signal?.aborted === true;
  try {
    for (;;) {
      for (let sent = waiting.shift(); sent !== undefined; sent = waiting.shift()) {
        if (isStopped()) return;
        yield await emissionOf(api, sent);
      }
      taken();
      if (isStopped() || state === 'ended') return;
      if (state === 'left') {
        const refusal = await following;
        if (refusal !== null) throw refusal;
        return;
      }
      await new Promise<void>((resolve) => (waiting.length > 0 || state !== 'open' ? resolve() : (wake = resolve)));
    }
  } finally {
    over.abort();
    taken();
    await following;
  }
}

async function emissionOf(api: Api, { value, isMissing, ...sent }: SentEmission): Promise<Emission> {
  const emission = fromWire<Omit<Emission, 'value'>>(sent);
  if (isMissing)
    throw new BatutaError('RESULT_MISSING', `Value ${emission.seq} of the stream '${emission.stream}' is gone or damaged.`, {
      details: { stream: emission.stream, seq: emission.seq },
    });
  return { ...emission, value: decodeValue(await textOfValue(api, value)) };
}
