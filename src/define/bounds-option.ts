/** The options of `@Flow` that limit concurrency: `maxParallelTasks` and `concurrency`. */
import { conflictPolicies } from '../model/deployment.ts';
import type { FlowConcurrency, FlowDefinition } from '../model/flow.ts';
import * as check from './options.ts';

/** Limits on concurrent tasks of a run and concurrent runs. @throws BatutaError OPTION_UNKNOWN, OPTION_INVALID */
export function boundsOf(
  read: check.OptionReader,
  { concurrency, maxParallelTasks }: check.RawOptions,
): Pick<FlowDefinition, 'maxParallelTasks' | 'runConcurrency'> {
  const tasks = read.whole('maxParallelTasks', 1);
  if (concurrency === undefined) return { maxParallelTasks: tasks ?? null, runConcurrency: null };
  if (typeof concurrency === 'object' && concurrency !== null && !Array.isArray(concurrency))
    return { maxParallelTasks: tasks ?? null, runConcurrency: runsOf(read.place, concurrency as check.RawOptions) };
  if (typeof concurrency !== 'number')
    throw check.invalid(
      read.place,
      'concurrency',
      concurrency,
      '{ limit, key, onConflict } (runs of the flow); for the tasks of one run write maxParallelTasks',
    );
  if (maxParallelTasks !== undefined)
    throw check.refuse('OPTION_INVALID', read.place, ': concurrency as a number is the old name of maxParallelTasks; keep that one.');
  return { maxParallelTasks: oldMaxParallelTasks(read), runConcurrency: null };
}

const warnedOf = new Set<string>();

/** The option under its old name. */
function oldMaxParallelTasks(read: check.OptionReader): number | null {
  const tasks = read.whole('concurrency', 1) ?? null;
  if (!warnedOf.has(read.place)) {
    warnedOf.add(read.place);
    process.emitWarning(
      `${read.place}: @Flow({ concurrency: ${tasks} }) is now @Flow({ maxParallelTasks: ${tasks} }). The next version will take a number as ` +
        'the runs of the flow at the same time, as deployments do.',
      { type: 'DeprecationWarning', code: 'BATUTA_CONCURRENCY' },
    );
  }
  return tasks;
}

function runsOf(place: string, options: check.RawOptions): FlowConcurrency {
  for (const name of Object.keys(options)) {
    if (!['limit', 'key', 'onConflict'].includes(name))
      throw check.refuse('OPTION_UNKNOWN', place, `: concurrency has no option '${name}'. It takes limit, key and onConflict.`);
  }
  const read = new check.OptionReader(place, {
    'concurrency.limit': options.limit,
    'concurrency.onConflict': options.onConflict,
  });
  const limit = read.whole('concurrency.limit', 1);
  if (limit === undefined)
    throw check.refuse('OPTION_INVALID', place, ': concurrency.limit is missing; give the number of runs that may run at the same time.');
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
