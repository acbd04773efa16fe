/** Run events, as streamed by a server. */
import type { RunEvent } from '../../store/store.ts';
import { checkEventsOptions, type ClientEvent, type RunEventsOptions } from '../run-events.ts';
import { fromWire, type Wire } from '../wire.ts';
import type { Api } from './api.ts';
import { followEvents, type ServerEvent } from './event-stream.ts';

/**
 * Continues after the last event across lost connections and server restarts. A slow reader is not sent more than it takes.
 *
 * @throws BatutaError FILTER_INVALID, UNAUTHENTICATED, FORBIDDEN and what else the server answers instead of a stream
 */
export async function* runEventsOverHttp(api: Api, options: RunEventsOptions): AsyncGenerator<ClientEvent> {
  checkEventsOptions(options);
  const { flow, deployment, after, signal } = options;
  const over = new AbortController();
  const ended = AbortSignal.any([over.signal, api.closed, ...(signal ? [signal] : [])]);
  const waiting: ClientEvent[] = [];
  let wake: () => void = () => undefined;
  let taken: () => void = () => undefined;
  let isStreaming = true;
  const stream = followEvents(api, 'events', {
    query: { flow, deployment },
    signal: ended,
    ...(after === undefined ? {} : { lastId: String(after) }),
    onEvent(event) {
      const read = readEvent(event);
      if (read === null) return;
      waiting.push(read);
      wake();
    },
    onState: () => undefined,
    onTaken: () => (ended.aborted || waiting.length === 0 ? Promise.resolve() : new Promise((resolve) => (taken = resolve))),
  }).finally(() => {
    isStreaming = false;
    wake();
  });
  ended.addEventListener('abort', () => (wake(), taken()), { once: true });
  try {
    while (!ended.aborted) {
      for (let event = waiting.shift(); event !== undefined && !ended.aborted; event = waiting.shift()) yield event;
      taken();
      if (ended.aborted) return;
      if (!isStreaming) {
        const refusal = await stream;
        if (refusal !== null) throw refusal;
        return;
      }
      await new Promise<void>((resolve) => (waiting.length > 0 || !isStreaming ? resolve() : (wake = resolve)));
    }
  } finally {
    over.abort();
    taken();
    await stream;
  }
}

function readEvent({ type, data }: ServerEvent): ClientEvent | null {
  if (type === 'run') return { kind: 'run', ...fromWire<RunEvent>(JSON.parse(data) as Wire<RunEvent>) };
  if (type !== 'gap') return null;
  const { reason } = JSON.parse(data) as { readonly reason?: string };
  return { kind: 'gap', reason: reason ?? 'unknown' };
}
