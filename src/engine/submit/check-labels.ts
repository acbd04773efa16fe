/** Labels that callers give a run: name, tags, idempotency and debounce keys. The server accepts the same over the network. */
import { BatutaError } from '../../base/errors.ts';
import { cutText, isLongerThan } from '../../base/cut-text.ts';
import { maxNameChars } from '../../model/run.ts';

const maxKeyChars = 500;
/** Control characters and lone surrogates, which no store accepts and no name needs. */
const forbidden = /[\p{Cc}\p{Cs}]/u;

/** @throws BatutaError OPTION_INVALID unless each is 1 to 200 characters */
export function checkLabels({ name, tags }: { readonly name?: string; readonly tags?: readonly string[] }): void {
  if (name !== undefined) check('name of a run', name, maxNameChars);
  if (tags === undefined) return;
  if (!Array.isArray(tags)) throw refusal(`The tags of a run are a list of texts, not ${shown(tags)}.`);
  for (const tag of tags) check('tag of a run', tag, maxNameChars);
}

/** @throws BatutaError OPTION_INVALID unless it is 1 to 500 characters */
export function checkIdempotencyKey(key: string): void {
  check('idempotency key', key, maxKeyChars);
}

/** @throws BatutaError OPTION_INVALID unless it is 1 to 500 characters */
export function checkDebounceKey(key: unknown): void {
  check('key of a debounce', key, maxKeyChars);
}

function check(what: string, text: unknown, maxChars: number): void {
  if (typeof text === 'string' && text !== '' && !isLongerThan(text, maxChars) && !forbidden.test(text)) return;
  throw refusal(`${shown(text)} is no ${what}: it takes 1 to ${maxChars} characters, none of them a control character.`);
}

function refusal(message: string): BatutaError {
  return new BatutaError('OPTION_INVALID', message);
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return cutText(text, 60, '…');
}
