/** A reporter's requests to its server, and what the answers mean. */
import type { Registered, RefusedItem, ReporterCard, ReporterNote } from '../model/report.ts';
import type { WaitingItem } from '../store/store.ts';

/** Timeout of one request, ms. */
const timeoutMs = 30_000;

/**
 * Why a request was not accepted: `away` no answer, or one that says to retry; `refused` the key; `unknown` it must register (again);
 * `replaced` another reporter uses its id; `invalid` what was sent; `failed` the server itself, possibly because of what was sent.
 */
export type TroubleKind = 'away' | 'refused' | 'unknown' | 'replaced' | 'invalid' | 'failed';

export class ReportTrouble extends Error {
  readonly kind: TroubleKind;

  constructor(kind: TroubleKind, message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

export interface SentBatch {
  readonly id: string;
  readonly secret: string;
  readonly token: string;
  readonly after: number;
  readonly items: readonly WaitingItem[];
  readonly note: ReporterNote;
}

export interface BatchAnswer {
  readonly last: number;
  readonly refused: readonly RefusedItem[];
}

export class ReportApi {
  /** URL of the server, without its API path. */
  readonly server: string;
  readonly #key: string | null;

  constructor(url: string, key: string | null) {
    this.server = url.replace(/\/+$/, '').replace(/\/api$/, '');
    this.#key = key;
  }

  /** @throws ReportTrouble */
  register(card: ReporterCard, signal: AbortSignal): Promise<Registered> {
    return this.#post<Registered>('reports', JSON.stringify(card), signal);
  }

  /** @throws ReportTrouble */
  send({ id, secret, token, after, items, note }: SentBatch, signal: AbortSignal): Promise<BatchAnswer> {
    // Items are already JSON.
    const list = items.map(({ seq, kind, body }) => `{"seq":${seq},"kind":"${kind}","data":${body}}`).join(',');
    const head = JSON.stringify({ secret, token, after, note });
    return this.#post<BatchAnswer>(`reports/${id}/batches`, `${head.slice(0, -1)},"items":[${list}]}`, signal);
  }

  async #post<T>(path: string, body: string, signal: AbortSignal): Promise<T> {
    const answer = await fetch(`${this.server}/api/${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(this.#key === null ? {} : { authorization: `Bearer ${this.#key}` }),
      },
      body,
      // A key must not follow a redirect.
      redirect: 'manual',
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), signal]),
    }).catch((cause: unknown) => {
      throw new ReportTrouble('away', `The server ${this.server} does not answer (${wordsOf(cause)}).`, cause);
    });
    const text = await answer.text().catch((cause: unknown) => {
      throw new ReportTrouble('away', `The answer of ${this.server} broke off.`, cause);
    });
    const json = readJson(text);
    if (answer.ok && json !== null) return json as T;
    throw this.#troubleOf(answer.status, json);
  }

  #troubleOf(status: number, json: Readonly<Record<string, unknown>> | null): ReportTrouble {
    const error = (json?.['error'] ?? {}) as { readonly code?: string; readonly message?: string };
    const said = error.message ?? `it answered with status ${status}`;
    if (status === 401 || status === 403) return new ReportTrouble('refused', said);
    if (error.code === 'REPORTER_UNKNOWN' || error.code === 'REPORT_GAP') return new ReportTrouble('unknown', said);
    if (error.code === 'REPORTER_REPLACED') return new ReportTrouble('replaced', said);
    if (status === 413 || (status === 400 && error.code !== undefined)) return new ReportTrouble('invalid', said);
    // From Batuta itself, not from a proxy; an unreachable database gives 503.
    if (status === 500 && error.code !== undefined) return new ReportTrouble('failed', said);
    return new ReportTrouble('away', `The server ${this.server} takes no reports at the moment: ${said}.`);
  }
}

function readJson(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

/** `fetch` only says that it failed; the cause says why. */
function wordsOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (!(cause instanceof Error)) return String(cause);
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}
