/** Assembles a client that talks to a server. */
import { systemClock } from '../../base/clock.ts';
import type { Client } from '../client.ts';
import { Api } from './api.ts';
import { HttpClient } from './http-client.ts';

export interface HttpClientOptions {
  /** URL of the server, e.g. `http://127.0.0.1:4200`; with a path if it is below one. */
  readonly apiUrl: string;
  /** Key sent to it; not needed by a server on this machine that has no keys. */
  readonly apiKey?: string | null;
  /** Timeout of a request, ms; default 30,000. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 30_000;

/**
 * A client over HTTP. Sends nothing yet: an absent server shows on the first request, as SERVER_UNREACHABLE. Close it at the end, which
 * ends its streams.
 *
 * @throws BatutaError CONFIG_INVALID if `apiUrl` is not such a URL
 */
export function openHttpClient({ apiUrl, apiKey = null, timeoutMs = defaultTimeoutMs }: HttpClientOptions): Client {
  return new HttpClient(new Api({ apiUrl, apiKey, timeoutMs, clock: systemClock }));
}
