/** A POST of JSON to an address that an alert names. */
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
  /** Hosts that may be asked though they are private. */
  readonly allowed: readonly string[];
  readonly resolve?: Resolve | undefined;
}

/** Of the request itself: asked again it is the same. */
const refusals = new Set([400, 413, 415, 422]);
/** Most that is read of an answer, characters. */
const maxAnswerChars = 2_000;

/** Posts it. Gives the status and the beginning of what was answered. @throws NotSent for what another attempt would not change; Error for all else */
export async function postJson(address: string, { headers, body, signal, allowed, resolve }: PostOptions): Promise<string> {
  if (!URL.canParse(address)) throw new NotSent('It is no address.');
  const url = new URL(address);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new NotSent(`${url.protocol} is not spoken; write https://.`);
  const open = await unlessAborted(signal, openAddresses(url.hostname, allowed, resolve));
  const { status, text } = await exchange(url, { headers, body, signal, open });
  const said = text === '' ? String(status) : `${status} ${text}`;
  if (status >= 200 && status < 300) return said;
  if (status >= 300 && status < 400) throw new NotSent(`${status}: it redirects, which is not followed.`);
  // Source: Standard Webhooks: a receiver that is gone wants nothing more.
  if (status === 410 || refusals.has(status)) throw new NotSent(said);
  throw new Error(said);
}

/** What comes of a step that cannot be stopped; it is waited for no longer than the signal allows. @throws what the signal says */
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
  // The name is not resolved again: the connection goes to what was looked at.
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
        // A connection that is kept may lead to where an earlier look had allowed it.
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
