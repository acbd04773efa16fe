/** The filters of lists. Unknown ones are refused: ignored, they would list, or cancel, more than was meant. */
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';

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
  for (const [name, value] of Object.entries(filter)) {
    if (value === undefined || known.includes(name)) continue;
    throw new BatutaError('FILTER_INVALID', `The list of ${list} has no filter '${name}'.${hintFor(name, known, 'It has')}`, {
      details: { filter: name, known: [...known] },
    });
  }
}
