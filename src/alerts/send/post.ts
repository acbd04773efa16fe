/** POSTs JSON to the URL of an alert. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { cutText } from '../../base/cut-text.ts';
import { NotSent } from '../deliver.ts';
import { type OpenAddress, openAddresses, type Resolve } from './open-address.ts';

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
  /** Private hosts that may be contacted. */
  readonly allowed: readonly string[];
  readonly resolve?: Resolve | undefined;
}

/** Statuses about the request itself: a retry would get the same. */
const refusals = new Set([400, 413, 415, 422]);
/** Most characters read of an answer. */
const maxAnswerChars = 2_000;

/** Returns the status and the beginning of the answer. @throws NotSent if another attempt would fail too; Error for all else */
export async function postJson(address: string, { headers, body, signal, allowed, resolve }: PostOptions): Promise<string> {
  if (!URL.canParse(address)) throw new NotSent('It is no address.');
  const url = new URL(address);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new NotSent(`${url.protocol} is not spoken; write https://.`);
  const open = await unlessAborted(signal, openAddresses(url.hostname, allowed, resolve));
  const { status, text } = await exchange(url, { headers, body, signal, open });
  const said = text === '' ? String(status) : `${status} ${text}`;
  if (status >= 200 && status < 300) return said;
  if (status >= 300 && status < 400) throw new NotSent(`${status}: it redirects, which is not followed.`);
  // Source: Standard Webhooks: a receiver that is gone wants no more deliveries.
  if (status === 410 || refusals.has(status)) throw new NotSent(said);
  throw new Error(said);
}

/** Result of a step that cannot be stopped; waits only until the signal aborts. @throws the signal's reason */
async function unlessAborted<T>(signal: AbortSignal, step: Promise<T>): Promise<T> {
  const over = new AbortController();
  const aborted = new Promise<never>((_resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true, signal: over.signal });
  });
  try {
    return await Promise.race([step, aborted]);
  } finally {
    over.abort();
  }
}

function exchange(
  url: URL,
  { headers, body, signal, open }: Pick<PostOptions, 'headers' | 'body' | 'signal'> & { readonly open: readonly OpenAddress[] },
): Promise<{ readonly status: number; readonly text: string }> {
  // The name is not resolved again: the connection goes to a checked address.
  const pinned: LookupFunction = (_host, options, done) => {
    if (options.all === true) done(null, [...open]);
    else done(null, open[0]?.address ?? '', open[0]?.family);
  };
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method: 'POST',
        lookup: pinned,
        // A kept-alive connection may lead to an address that only an earlier check allowed.
        agent: false,
        signal,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'user-agent': 'batuta', ...headers },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
          if (text.length > maxAnswerChars) response.destroy();
        });
        const done = (): void => resolve({ status: response.statusCode ?? 0, text: cutText(text, maxAnswerChars).trim() });
        response.on('close', done);
        response.on('error', done);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
