/**
 * One server's API as functions: sends a request, reads its answer, and turns errors into a `BatutaError`.
 *
 * A repeatable request is sent again if the connection is lost on the way; every request is sent again if it certainly never arrived, or if
 * the server reports too many requests. Nothing stays open between requests.
 */
import type { Clock } from '../../base/clock.ts';
import { BatutaError } from '../../base/errors.ts';
import { correlationHeaders } from '../../model/run-context.ts';
import { activeTraceparent } from '../../model/trace.ts';
import { piecesOf } from './answer-body.ts';
import { errorOfAnswer, isNeverSent, type Server, unreachable } from './api-errors.ts';

/** Values of a query; undefined is left out, a list is repeated. */
export type QueryValues = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface RequestOptions {
  readonly query?: QueryValues;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Whether it may be repeated; default: GET and PUT. */
  readonly repeatable?: boolean;
  /** Timeout of one try, ms; default that of the client. */
  readonly timeoutMs?: number;
}

export interface ApiOptions {
  /** URL of the server, with a path if it is below one. @throws BatutaError CONFIG_INVALID if it is not such a URL */
  readonly apiUrl: string;
  readonly apiKey: string | null;
  readonly clock: Clock;
  /** Timeout of one try, ms. */
  readonly timeoutMs: number;
}

/** Between the tries of a request, ms. */
const pausesMs = [100, 400, 1_200];
/** Longest wait a server may request before the next try, ms. */
const longestRetryAfterMs = 10_000;

/** The API of one server. */
export class Api {
  readonly server: Server;
  readonly #options: ApiOptions;
  readonly #closing = new AbortController();

  constructor(options: ApiOptions) {
    this.#options = options;
    this.server = { url: baseOf(options.apiUrl), hasKey: options.apiKey !== null };
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  /** Aborts once the client is closed. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /** Ends every request and stream. May be called twice. */
  close(): void {
    this.#closing.abort(new BatutaError('SHUTDOWN', 'The client was closed.'));
  }

  get<T>(path: string, query: QueryValues = {}): Promise<T> {
    return this.request<T>('GET', path, { query });
  }

  post<T>(path: string, body: unknown = {}, options: Pick<RequestOptions, 'repeatable'> = {}): Promise<T> {
    return this.request<T>('POST', path, { ...options, body });
  }

  /**
   * The answer to a request, undefined if it has none.
   *
   * @throws BatutaError what the API reports, with its code, message and details; SERVER_UNREACHABLE, SHUTDOWN (the client was closed)
   */
  async request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    const repeatable = options.repeatable ?? (method === 'GET' || method === 'PUT');
    const text = bodyText(options.body);
    for (let tries = 0; ; tries++) {
      const pauseMs = pausesMs[tries];
      try {
        const answer = await this.#send(method, path, text, options);
        if (answer.ok) return (answer.status === 204 ? undefined : await this.#readJson(answer)) as T;
        const waitMs = pauseMs === undefined ? null : waitOf(answer, repeatable, pauseMs);
        if (waitMs === null) throw await errorOfAnswer(answer, this.server);
        await answer.body?.cancel();
        await this.clock.sleep(waitMs, this.closed);
      } catch (error) {
        if (error instanceof BatutaError) throw error;
        this.closed.throwIfAborted();
        if (pauseMs === undefined || !(repeatable || isNeverSent(error))) throw unreachable(this.server, error);
        await this.clock.sleep(pauseMs, this.closed);
      }
    }
  }

  /**
   * The bytes of an answer that stays open, as they arrive. Closed once the reader stops; the reader is thrown the reason when `signal`
   * aborts or the client is closed.
   *
   * @param headers default: those of an event stream
   * @throws as `request` does, without trying again
   */
  async openStream(
    path: string,
    query: QueryValues,
    headers: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<AsyncGenerator<Uint8Array, void, void>> {
    const all = signal ? AbortSignal.any([signal, this.closed]) : this.closed;
    const answer = await fetch(this.#urlOf(path, query), {
      headers: { ...this.#headers, accept: 'text/event-stream', ...headers },
      redirect: 'manual',
      signal: all,
    }).catch((error: unknown) => {
      all.throwIfAborted();
      throw unreachable(this.server, error);
    });
    if (answer.ok) return piecesOf(answer.body, all);
    throw await errorOfAnswer(answer, this.server);
  }

  async #send(method: string, path: string, body: string | undefined, { query = {}, timeoutMs }: RequestOptions): Promise<Response> {
    return await fetch(this.#urlOf(path, query), {
      method,
      headers: { ...this.#headers, accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body }),
      // A key must not follow a redirect, and a POST would become a GET.
      redirect: 'manual',
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs ?? this.#options.timeoutMs), this.closed]),
    });
  }

  async #readJson(answer: Response): Promise<unknown> {
    const text = await answer.text();
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new BatutaError('SERVER_UNREACHABLE', `The server at ${this.server.url} is not a Batuta server. Check BATUTA_API_URL.`, {
        cause,
      });
    }
  }

  #urlOf(path: string, query: QueryValues): string {
    const url = new URL(`${this.server.url}/api/${path}`);
    for (const [name, value] of Object.entries(query)) {
      if (value === undefined) continue;
      for (const one of [value].flat()) url.searchParams.append(name, String(one));
    }
    return url.href;
  }

  /** Tells the server the run, or the span, whose code asks. */
  get #headers(): Record<string, string> {
    const { apiKey } = this.#options;
    const traceparent = activeTraceparent();
    return {
      ...(traceparent === null ? {} : { traceparent }),
      ...correlationHeaders(),
      ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
    };
  }
}

/** @throws BatutaError OPTION_INVALID for what JSON cannot write, e.g. a bigint or a cycle */
function bodyText(body: unknown): string | undefined {
  try {
    return JSON.stringify(body);
  } catch (cause) {
    const [line = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    throw new BatutaError('OPTION_INVALID', `What is to be sent is not plain JSON: ${line}.`, { cause });
  }
}

/** How long to wait before trying again; null: the answer stands. A server that refuses more requests has not acted. */
function waitOf(answer: Response, repeatable: boolean, pauseMs: number): number | null {
  if (answer.status === 429 || answer.status === 503) {
    const afterMs = Number(answer.headers.get('retry-after') ?? Number.NaN) * 1_000;
    if (afterMs > longestRetryAfterMs || (answer.status === 503 && !repeatable)) return null;
    return Number.isNaN(afterMs) ? pauseMs : Math.max(pauseMs, afterMs);
  }
  return repeatable && (answer.status === 502 || answer.status === 504) ? pauseMs : null;
}

function baseOf(apiUrl: string): string {
  const url = URL.canParse(apiUrl) ? new URL(apiUrl) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new BatutaError(
      'CONFIG_INVALID',
      'BATUTA_API_URL must be a URL such as https://batuta.example, without user and password; the key goes into BATUTA_API_KEY.',
      { details: { setting: 'apiUrl' } },
    );
  }
  return `${url.origin}${url.pathname.replace(/\/(api\/?)?$/, '')}`;
}
