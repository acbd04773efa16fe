/**
 * Secrets kept elsewhere, by reference: `env:NAME`, `file:/path`, or the name of a resolver of `batuta.config.ts` and its argument,
 * e.g. `vault:kv/data/stripe`.
 */
import { readFile } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import { environmentVariable } from '../base/config.ts';
import type { ResolveSecret } from '../base/config-file.ts';
import { cutText } from '../base/cut-text.ts';
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';

export type Resolvers = Readonly<Record<string, ResolveSecret>>;

export interface ReferenceParts {
  readonly clock: Clock;
  /** Those of the project, loaded when one is needed. */
  readonly resolvers: () => Promise<Resolvers>;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Longest reference, characters. */
const maxReferenceChars = 1_000;
/** Time limit of a resolver, ms. */
const resolveMs = 30_000;
const form = /^([a-z][\w-]*):(.+)$/i;

/** @throws BatutaError OPTION_INVALID if it cannot be a reference */
export function checkReference(reference: string): void {
  const [, place, rest = ''] = form.exec(reference) ?? [];
  const fault =
    reference.length > maxReferenceChars
      ? `is longer than ${maxReferenceChars} characters`
      : place === undefined
        ? 'names no place'
        : place === 'env' && !/^\w+$/.test(rest)
          ? 'names no variable of the environment'
          : null;
  if (fault === null) return;
  throw new BatutaError(
    'OPTION_INVALID',
    `The reference ${JSON.stringify(cutText(reference, 60, '…'))} ${fault}. Write env:NAME, file:/path, or the name of a resolver of batuta.config.ts, e.g. vault:kv/data/stripe.`,
  );
}

/**
 * The value of a reference; that of a file without its final line break.
 *
 * @param what beginning of messages, e.g. `The secret 'stripe'`
 * @throws BatutaError SECRET_UNREADABLE
 */
export async function resolveReference(what: string, reference: string, parts: ReferenceParts): Promise<string> {
  const [, place = '', rest = ''] = form.exec(reference) ?? [];
  const value =
    place === 'env'
      ? environmentVariable(rest, parts.env)
      : place === 'file'
        ? await fromFile(what, rest)
        : await fromResolver(what, place, rest, parts);
  if (typeof value === 'string' && value !== '') return value;
  const why =
    place === 'env'
      ? `the environment of this process has no variable ${rest}`
      : place === 'file'
        ? `the file ${rest} is empty`
        : `the resolver ${place} gave no text`;
  throw new BatutaError('SECRET_UNREADABLE', `${what} is kept in ${reference}, but ${why}.`, { details: { reference } });
}

async function fromFile(what: string, path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const why =
      code === 'ENOENT'
        ? 'does not exist'
        : code === 'EACCES'
          ? 'may not be read by this process'
          : `cannot be read (${(cause as Error).message})`;
    throw new BatutaError('SECRET_UNREADABLE', `${what} is kept in file:${path}, but that file ${why}.`, {
      cause,
      details: { reference: `file:${path}` },
    });
  }
}

async function fromResolver(what: string, place: string, rest: string, { clock, resolvers }: ReferenceParts): Promise<unknown> {
  const known = await resolvers();
  const resolve = Object.hasOwn(known, place) ? known[place] : undefined;
  const reference = `${place}:${rest}`;
  if (resolve === undefined)
    throw new BatutaError(
      'SECRET_UNREADABLE',
      `${what} is kept in ${reference}, but batuta.config.ts of this process has no resolver '${place}'.${hintFor(place, [...Object.keys(known), 'env', 'file'], 'There are')}`,
      { details: { reference } },
    );
  const ending = new AbortController();
  const late = new BatutaError(
    'SECRET_UNREADABLE',
    `${what} is kept in ${reference}, but the resolver ${place} gave nothing within ${resolveMs / 1000} s.`,
    { details: { reference } },
  );
  const timer = clock.setTimer(resolveMs, () => ending.abort(late));
  try {
    return await Promise.race([
      (async () => resolve(rest, { signal: ending.signal }))(),
      new Promise<never>((_, reject) => ending.signal.addEventListener('abort', () => reject(late))),
    ]);
  } catch (cause) {
    if (cause === late) throw late;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new BatutaError(
      'SECRET_UNREADABLE',
      `${what} is kept in ${reference}, but the resolver ${place} threw: ${cutText(message, 500, '…')}`,
      {
        cause,
        details: { reference },
      },
    );
  } finally {
    timer.cancel();
  }
}
