/** The filters of lists. Unknown ones are refused: ignored, they would list, or cancel, more than was meant. */
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import { stateWord, stateWords } from './state.ts';

/** Furthest instant of a Date from 1970, ms. */
const mostMs = 8.64e15;

const page = ['limit', 'cursor'] as const;

/** By list, as in its filter type. */
const filterNames = {
  runs: [
    'flow',
    'deployment',
    'states',
    'tag',
    'since',
    'until',
    'queue',
    'backfillId',
    'scheduleId',
    'search',
    'parentRunId',
    'pinned',
    ...page,
  ],
  'task runs': ['name', 'states', 'values', ...page],
  'log lines': ['taskRunId', 'minLevel', 'after', 'before', 'search', 'tail', 'limit'],
  artifacts: ['kind', 'key', 'search', ...page],
  'keys of artifacts': ['search', ...page],
  deployments: ['flow', 'tag', 'paused', 'search', ...page],
  backfills: ['deployment', ...page],
  'cached values': ['flow', 'task', 'key', 'expired', ...page],
  decisions: ['status', 'flow', 'runId', ...page],
  changes: page,
  firings: ['limit'],
  alerts: ['states', 'rule', ...page],
  errors: ['flow', 'state', 'since', ...page],
  events: ['name', 'source', 'since', 'until', ...page],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type ListName = keyof typeof filterNames;

/** @throws BatutaError FILTER_INVALID for a filter that the list does not have */
export function checkFilter(list: ListName, filter: object): void {
  const known: readonly string[] = filterNames[list];
  if (typeof filter !== 'object' || filter === null) {
    throw new BatutaError('FILTER_INVALID', `The filter of ${list} is an object, such as { limit: 10 }, not ${JSON.stringify(filter)}.`);
  }
  for (const [name, value] of Object.entries(filter)) {
    if (value === undefined || known.includes(name)) continue;
    throw new BatutaError('FILTER_INVALID', `The list of ${list} has no filter '${name}'.${hintFor(name, known, 'It has')}`, {
      details: { filter: name, known: [...known] },
    });
  }
  const { states, since, until } = filter as { readonly states?: unknown; readonly since?: unknown; readonly until?: unknown };
  if (states !== undefined && (list === 'runs' || list === 'task runs')) checkStates(states);
  for (const [name, at] of Object.entries({ since, until })) if (at !== undefined) checkInstant(name, at);
}

/** Of a misspelt state there are no runs, which would look as if all were well. */
function checkStates(states: unknown): void {
  if (!Array.isArray(states)) throw new BatutaError('FILTER_INVALID', 'The filter states is a list, such as ["Failed"].');
  const unknown = states.find((state) => typeof state !== 'string' || stateWord(state) === null);
  if (unknown === undefined) return;
  const hint = hintFor(
    String(unknown),
    stateWords.filter((word) => !word.includes('/') && word !== word.toUpperCase()),
    'States are',
  );
  throw new BatutaError('FILTER_INVALID', `There is no state '${String(unknown)}'.${hint}`, { details: { filter: 'states' } });
}

/** An epoch ms, or a date, which is one wherever it is compared or written. */
function checkInstant(name: string, at: unknown): void {
  const ms = at instanceof Date ? at.getTime() : at;
  if (typeof ms === 'number' && Math.abs(ms) <= mostMs) return;
  throw new BatutaError(
    'FILTER_INVALID',
    `The filter ${name} is an instant in ms since 1970, such as Date.now(), not ${JSON.stringify(at)}.`,
    {
      details: { filter: name },
    },
  );
}
