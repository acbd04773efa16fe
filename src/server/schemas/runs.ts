/** Requests about runs. */
import { z } from 'zod';
import type { RunFilter } from '../../store/store.ts';
import {
  cursorText,
  duration,
  flag,
  given,
  idText,
  instant,
  limitText,
  line,
  nameText,
  prose,
  seqText,
  statesText,
  userValue,
} from './common.ts';
import { levelNames } from '../log-text.ts';

const filterFields = {
  state: statesText.optional(),
  flow: nameText.optional(),
  deployment: nameText.optional(),
  tag: line(200, 1).optional(),
  queue: line(100, 1).optional(),
  since: instant.optional(),
  until: instant.optional(),
  search: line(200, 1).optional(),
  backfill: idText.optional(),
  schedule: idText.optional(),
  pinned: line(200, 1).optional().describe('Pinned to this version of their flow, or "any"'),
  parent: idText.optional().describe('Id of a run, or "none" for runs that no other started'),
};

export const runFilter = z.strictObject(filterFields);
export const runListQuery = z.strictObject({ ...filterFields, limit: limitText.optional(), cursor: cursorText.optional() });
export const histogramQuery = z.strictObject({
  ...filterFields,
  buckets: z.coerce.number().int().min(1).max(500).optional(),
  from: instant.optional().describe('Where the first bucket begins; default since, else a day before the end'),
  to: instant.optional().describe('Where the last bucket ends; default until, else now'),
});

/** The filter in the client's form. */
export function filterOf(
  query: z.output<typeof runFilter> & { readonly limit?: number | undefined; readonly cursor?: string | undefined },
): RunFilter {
  const { state, backfill, schedule, parent, ...rest } = query;
  return given({
    ...rest,
    states: state,
    backfillId: backfill,
    scheduleId: schedule,
    parentRunId: parent === 'none' ? null : parent,
  });
}

const debounceFields = z
  .strictObject({ key: line(500, 1), wait: duration, maxWait: duration.optional() })
  .optional()
  .describe('Calls with the same key are gathered into one run, which begins once nobody has called for `wait`');

const submitFields = {
  name: line(200, 1).optional(),
  tags: z.array(line(200, 1)).max(100).optional(),
  queue: line(100, 1).optional(),
  priority: z.number().int().min(-100).max(100).optional(),
  startAt: instant.optional(),
  idempotencyKey: line(500, 1).optional(),
  ttl: duration.optional().describe('A run that no worker has begun so long after it is due ends as Cancelled (Expired)'),
  traceparent: line(256, 1).optional().describe('W3C Trace Context; default the header of this name'),
  callerRunId: line(200, 1).optional().describe('Who submits it; default the header x-run-id'),
  replayOf: idText.optional().describe('A run of the same flow whose rejected records are given to the tasks that rejected them'),
  refreshCache: z.boolean().optional().describe('Whether its tasks compute their cached values again'),
};

export const submitBody = z.strictObject({
  flow: nameText,
  params: userValue.optional(),
  paramsOf: idText.optional().describe('A run whose parameters are taken; those in `params` replace them'),
  ...submitFields,
  debounce: debounceFields,
});
export const deploymentRunBody = z.strictObject({ params: userValue.optional(), ...submitFields });

/** Most runs per submit request. */
export const maxManyRuns = 100_000;

export const submitManyBody = z.strictObject({
  flow: nameText,
  runs: z
    .array(z.strictObject({ params: userValue.optional(), ...submitFields, debounce: debounceFields }))
    .min(1)
    .max(maxManyRuns),
});

/** The runs of a bulk change: by id, or by filter. */
const bulkFields = {
  ids: z.array(idText).min(1).max(1000).optional(),
  filter: runFilter.optional(),
  dryRun: z.boolean().optional(),
};
const oneOfBoth = (body: { readonly ids?: unknown; readonly filter?: unknown }): boolean =>
  (body.ids === undefined) !== (body.filter === undefined);
const oneOfBothMessage = { message: 'needs either ids or filter' };
const oneRequired = { oneOf: [{ required: ['ids'] }, { required: ['filter'] }] };
export const bulkBody = z.strictObject(bulkFields).refine(oneOfBoth, oneOfBothMessage).meta(oneRequired);
export const bulkCancelBody = z
  .strictObject({ ...bulkFields, message: prose(2000).optional() })
  .refine(oneOfBoth, oneOfBothMessage)
  .meta(oneRequired);

export const cancelBody = z.strictObject({ message: prose(2000).optional() });
export const retryBody = z.strictObject({ from: nameText.optional() });
export const signalBody = z.strictObject({ name: line(100, 1), data: userValue.optional() });
export const deleteQuery = z.strictObject({ force: flag.optional() });

export const taskListQuery = z.strictObject({
  name: nameText.optional(),
  state: statesText.optional(),
  limit: limitText.optional(),
  cursor: cursorText.optional(),
});
export const taskParams = z.strictObject({ id: idText, taskRunId: idText });
export const transitionsQuery = z.strictObject({
  task: idText.optional().describe('Id of a task run, or "none" for those of the run alone'),
  limit: limitText.optional(),
  cursor: cursorText.optional(),
});

/** 1 to 10,000. */
const lines = z.coerce.number().int().min(1).max(10_000);
const levels: ReadonlyMap<string, number> = new Map(Object.entries(levelNames).map(([level, name]) => [name.toLowerCase(), Number(level)]));

/** A log level by name, any case, or by number. */
const levelText = line(10, 1)
  .meta({
    description: 'Lowest level: trace, debug, info, warn, error, fatal (any case is taken), or a number to 100',
    anyOf: [{ enum: [...levels.keys()] }, { pattern: '^([0-9]{1,2}|100)$' }],
  })
  .transform((text, context) => {
    const level = levels.get(text.toLowerCase()) ?? (/^(\d{1,2}|100)$/.test(text) ? Number(text) : Number.NaN);
    if (level >= 0 && level <= 100) return level;
    context.addIssue({ code: 'custom', message: `must be one of ${[...levels.keys()].join(', ')}, or a number to 100` });
    return z.NEVER;
  });

const logFields = {
  task: idText.optional(),
  level: levelText.optional(),
  search: line(500, 1).optional(),
};
export const logQuery = z.strictObject({
  ...logFields,
  after: seqText.optional(),
  before: seqText.optional(),
  tail: lines.optional(),
  limit: lines.optional(),
});
export const logDownloadQuery = z.strictObject(logFields);
