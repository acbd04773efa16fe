/** The ready-made resource `httpClient`: requests with retries, timeouts and limits per host, which end with their task. */
import { type Duration, formatDuration } from '../../base/duration.ts';
import { systemClock } from '../../base/clock.ts';
import { BatutaError } from '../../base/errors.ts';
import { correlationHeaders, currentScope } from '../../model/run-context.ts';
import type { Resource, ResourceScopeName } from '../../model/resource.ts';
import { resource } from '../../resources/resource.ts';
import { failed } from './http-failure.ts';
import { HostGate, type HostLimits } from './http-limits.ts';
import { type HttpRetryOptions, isRepeatable, passingStatuses, type RetryWaits, retryWaitMs } from './http-retry.ts';
import { durationOption, wholeOption } from './options.ts';

/** Options of `httpClient`. */
export interface HttpClientOptions<S extends ResourceScopeName = 'worker'> extends HttpRetryOptions {
  /** Base of relative paths. Default none: URLs must be absolute. */
  readonly baseUrl?: string | undefined;
  /** Sent with every request; a function runs each time, e.g. for a token. */
  readonly headers?:
    | Readonly<Record<string, string>>
    | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>)
    | undefined;
  /** Longest time of an attempt, with its body. Default 30 seconds. */
  readonly timeout?: Duration | undefined;
  /** Most concurrent requests to one host. Default 16. */
  readonly concurrency?: number | undefined;
  /** Most requests to one host that begin within a time. Default unlimited. */
  readonly rate?: { readonly limit: number; readonly per: Duration } | undefined;
  /** Whether requests identify their run: `x-run-id`, `x-task-id`, `traceparent`. Default true. */
  readonly correlation?: boolean | undefined;
  /** How long the client, with its open connections, is kept. Default `worker`. */
  readonly scope?: S | undefined;
}

/** What is sent, besides `fetch` options. */
export interface HttpRequestOptions {
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as is. */
  readonly body?: string | Uint8Array | URLSearchParams | undefined;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
  /** Aborts the request too, like cancel and timeout of its task. */
  readonly signal?: AbortSignal | undefined;
  /** Returns responses of any status, after the retries. Default false: any but 2xx is thrown as HTTP_FAILED. */
  readonly anyStatus?: boolean | undefined;
  /** Returns the body as a stream. Default false: it is read first, and read again by a retry if it breaks off. */
  readonly stream?: boolean | undefined;
}

/** Value of the resource `httpClient`. */
export interface HttpClient {
  /**
   * Sends a request and returns the response; its body is read unless `stream`.
   *
   * Retried after a reset, a timeout and the statuses 408, 425, 429, 500, 502, 503 and 504, if the request may be repeated: GET, HEAD,
   * OPTIONS, PUT and DELETE, or any with the header `idempotency-key`. `Retry-After` is respected, for the whole host.
   *
   * @throws BatutaError HTTP_FAILED; the reason of the signal
   */
  fetch(url: string, options?: HttpRequestOptions): Promise<Response>;
  /** The JSON from a GET. @throws as `fetch` does; SyntaxError */
  get<T = unknown>(url: string, options?: HttpRequestOptions): Promise<T>;
  /** The JSON from a POST of JSON; undefined if the response is empty. @throws as `fetch` does; SyntaxError */
  post<T = unknown>(url: string, json: unknown, options?: HttpRequestOptions): Promise<T>;
}

/**
 * A client with its own connections, closed with its scope even if still in use. A request ends with its task.
 *
 * @throws BatutaError NAME_INVALID, OPTION_INVALID, DURATION_INVALID
 * @example
 * ```ts
 * const api = httpClient('api', { baseUrl: 'https://api.example.com/v1/', rate: { limit: 100, per: '1m' } });
 * const orders = await (await ctx.use(api)).get<Order[]>('orders', { query: { day: '2026-01-01' } });
 * ```
 */
export function httpClient<const S extends ResourceScopeName = 'worker'>(
  name: string,
  options: HttpClientOptions<S> = {},
): Resource<HttpClient, void, S> {
  const settings = settingsOf(`httpClient('${name}')`, options);
  return resource(
    name,
    async function* () {
      // Bundled, a CommonJS package exports only `default`.
      const { Agent, fetch } = (await import('undici')).default;
      const agent = new Agent({
        connections: settings.limits.concurrency,
        headersTimeout: settings.timeoutMs,
        bodyTimeout: settings.timeoutMs,
      });
      const closing = new AbortController();
      try {
        yield new Client(
          settings,
          closing.signal,
          (url, init) => fetch(url, { ...init, dispatcher: agent }) as Promise<unknown> as Promise<Response>,
        );
      } finally {
        const reason = new BatutaError('HTTP_FAILED', `The HTTP client '${name}' was closed.`);
        closing.abort(reason);
        await agent.destroy(reason);
      }
    },
    { scope: options.scope ?? ('worker' as S) },
  );
}

interface Settings extends RetryWaits {
  readonly baseUrl: string | undefined;
  readonly headers: HttpClientOptions['headers'];
  readonly timeoutMs: number;
  readonly retries: number;
  readonly limits: HostLimits;
  readonly correlation: boolean;
}

function settingsOf(place: string, options: HttpClientOptions<ResourceScopeName>): Settings {
  const { baseUrl, headers, rate, correlation = true } = options;
  if (baseUrl !== undefined && !URL.canParse(baseUrl)) throw new BatutaError('OPTION_INVALID', `${place}: baseUrl is no URL.`);
  const perMs = durationOption(place, 'rate.per', rate?.per);
  const limit = wholeOption(place, 'rate.limit', rate?.limit, 1);
  if (rate !== undefined && (perMs === undefined || limit === undefined))
    throw new BatutaError('OPTION_INVALID', `${place}: rate takes { limit, per }, e.g. { limit: 100, per: '1m' }.`);
  return {
    ...{ baseUrl, headers, correlation },
    timeoutMs: durationOption(place, 'timeout', options.timeout) ?? 30_000,
    retries: wholeOption(place, 'retries', options.retries, 0) ?? 3,
    delayMs: durationOption(place, 'retryDelay', options.retryDelay) ?? 500,
    maxDelayMs: durationOption(place, 'maxRetryDelay', options.maxRetryDelay) ?? 60_000,
    limits: {
      concurrency: wholeOption(place, 'concurrency', options.concurrency, 1) ?? 16,
      rate: limit === undefined || perMs === undefined ? null : { limit, perMs },
    },
  };
}

type Send = (url: URL, init: Readonly<Record<string, unknown>>) => Promise<Response>;

class Client implements HttpClient {
  readonly #settings: Settings;
  readonly #closing: AbortSignal;
  readonly #send: Send;
  readonly #gates = new Map<string, HostGate>();

  constructor(settings: Settings, closing: AbortSignal, send: Send) {
    this.#settings = settings;
    this.#closing = closing;
    this.#send = send;
  }

  async get<T>(url: string, options: HttpRequestOptions = {}): Promise<T> {
    return (await (await this.fetch(url, { ...options, method: 'GET' })).json()) as T;
  }

  async post<T>(url: string, json: unknown, options: HttpRequestOptions = {}): Promise<T> {
    const text = await (await this.fetch(url, { ...options, method: 'POST', json })).text();
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  async fetch(url: string, options: HttpRequestOptions = {}): Promise<Response> {
    const { retries } = this.#settings;
    const target = this.#targetOf(url, options.query);
    const signal = AbortSignal.any([this.#closing, ...[currentSignal(), options.signal].filter((one) => one !== undefined)]);
    const method = (options.method ?? 'GET').toUpperCase();
    const { headers, body } = await this.#requestOf(options);
    const gate = this.#gateOf(target.host);
    const mayRetry = isRepeatable(method, headers);
    for (let attempt = 1; ; attempt++) {
      const isLast = !mayRetry || attempt > retries;
      const outcome = await this.#attempt(gate, target, { method, headers, body }, signal, options.stream ?? false);
      if (outcome instanceof Response) {
        if (outcome.ok || (options.anyStatus === true && (isLast || !passingStatuses.has(outcome.status)))) return outcome;
        const waitMs = isLast || !passingStatuses.has(outcome.status) ? null : this.#waitMs(outcome.headers.get('retry-after'), attempt);
        if (waitMs === null && options.anyStatus === true) return outcome;
        await outcome.body?.cancel();
        if (waitMs === null) throw failed(method, target, attempt, { status: outcome.status });
        if (outcome.headers.has('retry-after')) gate.closeFor(waitMs);
        await systemClock.sleep(waitMs, signal);
      } else {
        if (isLast) throw failed(method, target, attempt, { cause: outcome.error });
        await systemClock.sleep(this.#waitMs(null, attempt) ?? 0, signal);
      }
    }
  }

  /** One attempt: the response, or a network failure. @throws the reason of the signal */
  async #attempt(
    gate: HostGate,
    target: URL,
    request: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    isStream: boolean,
  ): Promise<Response | { readonly error: unknown }> {
    await gate.enter(signal);
    const { timeoutMs } = this.#settings;
    const late = new AbortController();
    const timer = systemClock.setTimer(timeoutMs, () => late.abort(new Error(`No answer within ${formatDuration(timeoutMs)}.`)));
    let isOpen = false;
    const end = (): void => {
      timer.cancel();
      gate.leave();
    };
    try {
      const answer = await this.#send(target, { ...request, signal: AbortSignal.any([signal, late.signal]) });
      const { status, statusText, headers } = answer;
      if (isStream && answer.ok && answer.body !== null) {
        isOpen = true;
        timer.cancel();
        return new Response(endingBody(answer.body, end), { status, statusText, headers: new Headers([...headers]) });
      }
      const bytes = await answer.arrayBuffer();
      return new Response(bodyless.has(status) ? null : bytes, { status, statusText, headers: new Headers([...headers]) });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      return { error: late.signal.aborted ? late.signal.reason : error };
    } finally {
      if (!isOpen) end();
    }
  }

  #targetOf(url: string, query: HttpRequestOptions['query'] = {}): URL {
    const { baseUrl } = this.#settings;
    if (!URL.canParse(url, baseUrl))
      throw new BatutaError('OPTION_INVALID', `'${url}' is not a URL; pass an absolute one, or set baseUrl on the client.`);
    const target = new URL(url, baseUrl);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) target.searchParams.set(name, String(value));
    return target;
  }

  async #requestOf({ headers: given, json, body }: HttpRequestOptions): Promise<{ readonly headers: Headers; readonly body: unknown }> {
    const { headers: own, correlation } = this.#settings;
    const headers = new Headers(correlation ? correlationHeaders() : {});
    for (const source of [typeof own === 'function' ? await own() : own, given])
      for (const [name, value] of Object.entries(source ?? {})) headers.set(name, value);
    if (json === undefined) return { headers, body };
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    return { headers, body: JSON.stringify(json) };
  }

  #gateOf(host: string): HostGate {
    const known = this.#gates.get(host) ?? new HostGate(this.#settings.limits);
    this.#gates.set(host, known);
    return known;
  }

  #waitMs(retryAfter: string | null, attempt: number): number | null {
    return retryWaitMs(this.#settings, retryAfter, attempt, systemClock.now(), Math.random);
  }
}

/** Statuses without a body; Response refuses one. */
const bodyless: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

/** The body; `end` is called once it is read, cancelled or broken off. */
function endingBody(body: ReadableStream<Uint8Array>, end: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let hasEnded = false;
  const endOnce = (): void => {
    if (!hasEnded) end();
    hasEnded = true;
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        endOnce();
        controller.close();
      } catch (error) {
        endOnce();
        controller.error(error);
      }
    },
    async cancel(reason) {
      endOnce();
      await reader.cancel(reason);
    },
  });
}

/** The signal of the calling code: aborted when its task is cancelled, times out or loses its lease. Undefined outside a run. */
function currentSignal(): AbortSignal | undefined {
  const context = currentScope()?.context;
  const signal: unknown = typeof context === 'object' && context !== null && 'signal' in context ? context.signal : undefined;
  return signal instanceof AbortSignal ? signal : undefined;
}
