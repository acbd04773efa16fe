/** Run events, as streamed by a server. */
import type { RunEvent } from '../../store/store.ts';
import { checkEventsOptions, type ClientEvent, type RunEventsOptions } from '../run-events.ts';
import { fromWire, type Wire } from '../wire.ts';
import type { Api } from './api.ts';
import type { ServerEvent } from './event-stream.ts';
import { followItems } from './follow-items.ts';

/**
 * Continues after the last event.
 *
 * @throws BatutaError FILTER_INVALID, UNAUTHENTICATED, FORBIDDEN and what else the server answers instead of a stream
 */
export async function* runEventsOverHttp(api: Api, options: RunEventsOptions): AsyncGenerator<ClientEvent> {
  checkEventsOptions(options);
  const { flow, deployment, after, signal } = options;
  const lastId = after === undefined ? undefined : String(after);
  yield* followItems<ClientEvent>(api, 'events', { query: { flow, deployment }, lastId, signal, read: readEvent });
}

function readEvent({ type, data }: ServerEvent): ClientEvent | null {
  if (type === 'run') return { kind: 'run', ...fromWire<RunEvent>(JSON.parse(data) as Wire<RunEvent>) };
  if (type !== 'gap') return null;
  const { reason } = JSON.parse(data) as { readonly reason?: string };
  return { kind: 'gap', reason: reason ?? 'unknown' };
}
