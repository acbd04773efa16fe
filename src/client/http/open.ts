/** Puts a client together that asks a server. */
import { systemClock } from '../../base/clock.ts';
import type { Client } from '../client.ts';
import { Api } from './api.ts';
import { HttpClient } from './http-client.ts';

export interface HttpClientOptions {
  /** Where the server is, e.g. `http://127.0.0.1:4200`; with a path where it lies below one. */
  readonly apiUrl: string;
  /** Key that is shown to it; none is needed by a server on this machine that has no keys. */
  readonly apiKey?: string | null;
  /** How long a request may take, ms; default 30,000. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 30_000;

/**
 * A client over HTTP. Nothing is asked yet: a server that is not there shows with the first request, as SERVER_UNREACHABLE. Close it at the
 * end, which ends its streams.
 *
 * @throws BatutaError CONFIG_INVALID when `apiUrl` is no such URL
 */
export function openHttpClient({ apiUrl, apiKey = null, timeoutMs = defaultTimeoutMs }: HttpClientOptions): Client {
  return new HttpClient(new Api({ apiUrl, apiKey, timeoutMs, clock: systemClock }));
}
