/** The items of an event stream, one after another. A slow reader is not sent more than it takes. */
import type { Api, QueryValues } from './api.ts';
import { followEvents, type ServerEvent } from './event-stream.ts';

export interface FollowOptions<T> {
  readonly query?: QueryValues;
  /** Id to continue after; default: only new events. */
  readonly lastId?: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** The item of an event; null for none, `end` after the last one. */
  readonly read: (event: ServerEvent) => T | 'end' | null;
}

/**
 * Continues after the last event across lost connections and server restarts, until the items end, `signal` aborts or the client is closed.
 *
 * @throws BatutaError what the server answers instead of a stream
 */
export async function* followItems<T>(api: Api, path: string, options: FollowOptions<T>): AsyncGenerator<T> {
  const { query = {}, lastId, signal, read } = options;
  const over = new AbortController();
  const ended = AbortSignal.any([over.signal, api.closed, ...(signal ? [signal] : [])]);
  const waiting: T[] = [];
  let wake: () => void = () => undefined;
  let taken: () => void = () => undefined;
  let state = 'open' as 'open' | 'ended' | 'left';
  const stream = followEvents(api, path, {
    query,
    signal: ended,
    ...(lastId === undefined ? {} : { lastId }),
    onEvent(event) {
      const item = read(event);
      if (item === null) return;
      if (item === 'end') {
        state = 'ended';
        // Nothing comes after it; do not reconnect.
        over.abort();
      } else waiting.push(item);
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
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
        if (isStopped()) return;
        yield item;
      }
      taken();
      if (isStopped() || state === 'ended') return;
      if (state === 'left') {
        const refusal = await stream;
        if (refusal !== null) throw refusal;
        return;
      }
      await new Promise<void>((resolve) => (waiting.length > 0 || state !== 'open' ? resolve() : (wake = resolve)));
    }
  } finally {
    over.abort();
    taken();
    await stream;
  }
}
