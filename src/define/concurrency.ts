/** The option `concurrency` of `@Flow`: a number bounds the tasks of a run, an object the runs of the flow. */
import { conflictPolicies } from '../model/deployment.ts';
import type { FlowConcurrency, FlowDefinition } from '../model/flow.ts';
import * as check from './options.ts';

const names = ['limit', 'key', 'onConflict'] as const;

/** The checked option. @throws BatutaError OPTION_INVALID, OPTION_UNKNOWN */
export function concurrencyOf(place: string, value: unknown): Pick<FlowDefinition, 'concurrency' | 'runConcurrency'> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { concurrency: tasksOf(place, value) ?? null, runConcurrency: null };
  return { concurrency: null, runConcurrency: runsOf(place, value as check.RawOptions) };
}

function tasksOf(place: string, value: unknown): number | undefined {
  if (value !== undefined && typeof value !== 'number')
    throw check.invalid(
      place,
      'concurrency',
      value,
      'a whole number from 1 (tasks of one run), or { limit, key, onConflict } (runs of the flow)',
    );
  return new check.OptionReader(place, { concurrency: value }).whole('concurrency', 1);
}

function runsOf(place: string, options: check.RawOptions): FlowConcurrency {
  for (const name of Object.keys(options)) {
    if (!(names as readonly string[]).includes(name))
      throw check.refuse('OPTION_UNKNOWN', place, `: concurrency has no option '${name}'. It takes limit, key and onConflict.`);
  }
  const read = new check.OptionReader(place, {
    'concurrency.limit': options.limit,
    'concurrency.onConflict': options.onConflict,
  });
  const limit = read.whole('concurrency.limit', 1);
  if (limit === undefined)
    throw check.refuse('OPTION_INVALID', place, ': concurrency.limit is missing; give the number of runs that may go on at the same time.');
  return {
    limit,
    key: keyOf(place, options.key),
    onConflict: read.oneOf('concurrency.onConflict', conflictPolicies) ?? 'queue',
  };
}

function keyOf(place: string, value: unknown): FlowConcurrency['key'] {
  if (value === undefined) return null;
  if (typeof value === 'function') return value as (params: unknown) => string;
  if (typeof value === 'string' && value !== '') return value;
  throw check.invalid(place, 'concurrency.key', value, "a template over the parameters such as '{customer}', or a function of them");
}
