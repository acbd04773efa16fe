/** Declared triggers of a deployment: checked, with their defaults filled in. */
import { cutText } from '../base/cut-text.ts';
import type { ConfigTriggerParts } from '../base/config-file.ts';
import { parseDuration } from '../base/duration.ts';
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import { isQueueName } from '../model/queue.ts';
import { parsePath, pathRoots } from '../model/triggers/paths.ts';
import {
  endWords,
  type EndWord,
  type FilterValue,
  isEventName,
  maxEventNameChars,
  type TriggerRule,
  type TriggerSource,
} from '../model/triggers/trigger.ts';
import { maxNameChars } from '../model/run.ts';

/** One trigger as a user writes it: a source as text, or its parts. */
export type TriggerSpec = string | TriggerParts;

export type TriggerParts = ConfigTriggerParts;

/** Plain JSON, by slug. */
export interface DeclaredTrigger {
  readonly slug: string;
  readonly rule: TriggerRule;
}

const partNames = [
  'on',
  'slug',
  'where',
  'tags',
  'params',
  'within',
  'debounce',
  'by',
  'backfills',
] as const satisfies readonly (keyof TriggerParts)[];
const maxTriggers = 50;
const maxSources = 10;
const maxEntries = 50;
/** Longest window or debounce, ms: occurrences are kept as long. */
const maxWindowMs = 7 * 86_400_000;

/**
 * @param place begins messages, e.g. `Deployment sync`
 * @throws BatutaError TRIGGER_INVALID, OPTION_UNKNOWN, DURATION_INVALID, NAME_INVALID
 */
export function checkTriggers(place: string, given: unknown): readonly DeclaredTrigger[] {
  if (given === undefined) return [];
  const specs: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (specs.length > maxTriggers) throw invalid(place, ` has ${specs.length} triggers; at most ${maxTriggers} are allowed`);
  const declared = specs.map((spec) => checkTrigger(place, spec)).sort((a, b) => (a.slug < b.slug ? -1 : 1));
  const twice = declared.find(({ slug }, at) => declared[at + 1]?.slug === slug);
  if (twice) throw new BatutaError('NAME_INVALID', `${place} has two triggers called '${twice.slug}'; give each a slug of its own.`);
  return declared;
}

function checkTrigger(place: string, spec: unknown): DeclaredTrigger {
  const parts: TriggerParts = typeof spec === 'string' ? { on: spec } : (spec as TriggerParts);
  if (typeof parts !== 'object' || parts === null)
    throw invalid(place, `: on must be a source such as 'event:order.created', not ${shown(spec)}`);
  const unknown = Object.keys(parts).find((name) => !(partNames as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw new BatutaError(
      'OPTION_UNKNOWN',
      `${place}, a trigger: there is no option '${unknown}'.${hintFor(unknown, partNames, 'The options are')}`,
    );
  const texts: readonly unknown[] = Array.isArray(parts.on) ? parts.on : [parts.on];
  if (texts.length === 0 || texts.length > maxSources)
    throw invalid(place, `: a trigger takes 1 to ${maxSources} sources, not ${texts.length}`);
  const sources = texts.map((text) => sourceOf(place, text));
  const slug = parts.slug ?? slugFrom(texts as readonly string[]);
  if (!isQueueName(slug))
    throw new BatutaError(
      'NAME_INVALID',
      `${place}: ${shown(slug)} is not a valid slug for a trigger; use 1 to 100 letters, digits, _, . and -, and begin with a letter or digit.`,
    );
  const where = `${place}, trigger ${slug}`;
  const withinMs = durationOf(where, 'within', parts.within);
  const debounce = debounceOf(where, parts.debounce);
  if (sources.length > 1 && withinMs === null)
    throw invalid(where, ' has several sources; set the time within which all of them must occur, e.g. within: "1 hour"');
  if (sources.length === 1 && withinMs !== null) throw invalid(where, ' has one source; within is for several');
  if (withinMs !== null && debounce !== null) throw invalid(where, ' has both within and debounce; take one of them');
  return {
    slug,
    rule: {
      sources,
      where: whereOf(where, parts.where, sources.length),
      tags: tagsOf(where, parts.tags),
      params: mappingOf(where, parts.params, sources.length),
      withinMs,
      debounce,
      by: parts.by === undefined ? null : pathOf(where, 'by', parts.by, sources.length),
      backfills: parts.backfills === true,
    },
  };
}

/** @throws BatutaError TRIGGER_INVALID */
export function sourceOf(place: string, text: unknown): TriggerSource {
  const [, kind = '', rest = ''] = typeof text === 'string' ? (/^([a-z]+):(.+)$/s.exec(text) ?? []) : [];
  if (kind === 'event') {
    const plain = rest.endsWith('*') ? rest.slice(0, -1) : rest;
    if (rest === '*' || (plain.length <= maxEventNameChars && isEventName(plain))) return { kind, name: rest };
    throw invalid(
      place,
      `: ${shown(rest)} is not a valid name of an event: use 1 to ${maxEventNameChars} letters, digits, _ . : / -, begin with a letter or digit, and end with * for all that begin so`,
    );
  }
  if (Object.hasOwn(endWords, kind)) {
    const flow = /^flow:(.+)$/s.exec(rest)?.[1];
    if (flow !== undefined && flow.length <= maxNameChars && !/[\p{Cc}\p{Cs}]/u.test(flow))
      return { kind: kind as EndWord, of: 'flow', name: flow };
    if (flow === undefined && (rest === '*' || isQueueName(rest))) return { kind: kind as EndWord, of: 'deployment', name: rest };
  }
  const words = ['event', ...Object.keys(endWords)].join(', ');
  throw invalid(
    place,
    `: ${shown(text)} is not a source of a trigger; write one of ${words}, a colon and a name, e.g. 'event:order.created', 'completed:extract', 'failed:flow:extract'`,
  );
}

/** A slug made of the sources: `completed-extract`, `event-order.created`. */
function slugFrom(texts: readonly string[]): string {
  return texts
    .join('-')
    .replaceAll('*', 'any')
    .replace(/[^\w.-]+/g, '-')
    .slice(0, 100);
}

function whereOf(place: string, given: unknown, sources: number): TriggerRule['where'] {
  if (given === undefined) return {};
  const entries = entriesOf(place, 'where', given);
  return Object.fromEntries(
    entries.map(([path, value]) => {
      const values: readonly unknown[] = Array.isArray(value) ? value : [value];
      const wrong = values.find((one) => one !== null && !['string', 'number', 'boolean'].includes(typeof one));
      if (wrong !== undefined || values.length === 0 || values.length > maxEntries)
        throw invalid(
          place,
          `: where of ${shown(path)} takes a text, a number, true, false or null, or a list of up to ${maxEntries} of them`,
        );
      return [pathOf(place, 'where', path, sources), values as FilterValue[]];
    }),
  );
}

function mappingOf(place: string, given: unknown, sources: number): TriggerRule['params'] {
  if (given === undefined) return {};
  return Object.fromEntries(
    entriesOf(place, 'params', given).map(([name, path]) => [name, pathOf(place, `params.${name}`, path, sources)]),
  );
}

function entriesOf(place: string, name: string, given: unknown): [string, unknown][] {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw invalid(place, `: ${name} must be an object, not ${shown(given)}`);
  const entries = Object.entries(given);
  if (entries.length > maxEntries) throw invalid(place, `: ${name} has ${entries.length} entries; at most ${maxEntries} are allowed`);
  return entries;
}

function pathOf(place: string, name: string, text: unknown, sources: number): string {
  const path = typeof text === 'string' ? parsePath(text) : null;
  if (path === null)
    throw invalid(
      place,
      `: ${name} has ${shown(text)}, which is not a path; begin with ${pathRoots.join(', ')} and continue with fields, e.g. payload.order.id`,
    );
  if (path.source !== null && path.source > sources)
    throw invalid(place, `: ${name} names source ${path.source}, and there ${sources === 1 ? 'is one' : `are ${sources}`}`);
  return text as string;
}

function tagsOf(place: string, tags: unknown): readonly string[] {
  if (tags === undefined) return [];
  if (Array.isArray(tags) && tags.length <= maxEntries && tags.every((tag) => typeof tag === 'string' && tag !== ''))
    return [...new Set(tags as string[])];
  throw invalid(place, `: tags must be a list of texts, not ${shown(tags)}`);
}

function debounceOf(place: string, given: TriggerParts['debounce']): TriggerRule['debounce'] {
  if (given === undefined) return null;
  const parts = typeof given === 'object' && given !== null ? given : { wait: given };
  const waitMs = durationOf(place, 'debounce', parts.wait);
  const maxWaitMs = durationOf(place, 'maxWait of debounce', parts.maxWait);
  if (waitMs === null) throw invalid(place, ': debounce needs wait, e.g. { wait: "30s" }');
  if (maxWaitMs !== null && maxWaitMs < waitMs) throw invalid(place, ': maxWait of debounce is shorter than its wait');
  return { waitMs, maxWaitMs };
}

function durationOf(place: string, name: string, given: unknown): number | null {
  if (given === undefined) return null;
  let ms: number;
  try {
    ms = parseDuration(given);
  } catch (cause) {
    throw new BatutaError('DURATION_INVALID', `${place}: ${name} ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (ms < 1 || ms > maxWindowMs) throw invalid(place, `: ${name} must be longer than 0 and no longer than 7 days`);
  return ms;
}

function invalid(place: string, what: string): BatutaError {
  return new BatutaError('TRIGGER_INVALID', `${place}${what}.`);
}

function shown(value: unknown): string {
  return cutText(typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? String(value)), 60, '…');
}
