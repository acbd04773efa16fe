/** Answers about runs, as documented. A test checks every answer against this. */
import { z } from 'zod';
import { hideFailure, waitKinds, withoutKey, wordsOfWait } from './hidden-words.ts';
import { digestOf, figure, noPayload, replaced, runNameBy, word, wordOrNull } from './payloads.ts';
import { stateNames, stateTypes } from '../../model/state.ts';
import { usageScopes } from '../../model/task-usage.ts';

export const at = noPayload(z.iso.datetime());
export const atOrNull = at.nullable();
export const textOrNull = z.string().nullable();
export const count = noPayload(z.number().int().min(0));

/** A page of a list. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.strictObject({ items: z.array(item), next: wordOrNull.describe('Cursor of the page after') });
/** A list without pages. */
export const listOf = <T extends z.ZodType>(item: T) => z.strictObject({ items: z.array(item) });

export const stateType = z.enum(stateTypes);
export const stateName = z.enum([...new Set(stateTypes.flatMap((type): readonly string[] => stateNames[type]))]);
export const state = z.strictObject({ type: stateType, name: stateName, message: textOrNull });
export const failure = replaced(
  z
    .unknown()
    .describe(
      '{ name, message, code, stack, details, cause, errors?, errorCount?, fields?, fieldTypes?, fieldsLeftOut?, base? }, of a run with origin: { key, task, attempt, attempts, frame }; or null',
    ),
  hideFailure,
);
const owner = z.strictObject({
  id: word,
  host: word,
  pid: figure,
  processStartedAt: figure,
  reporter: z.strictObject({ id: word, name: word, version: word }).optional().describe('Who reported the run, of one that runs elsewhere'),
});

/** A user value alone. */
export const storedValue = z.strictObject({ json: z.unknown(), meta: z.unknown().optional() });
/** A user value, or where to fetch it if it is too large to be sent. */
export const value = z.union([
  storedValue,
  z.strictObject({ cut: z.strictObject({ bytes: z.number().int().min(0), download: z.string() }) }),
]);

const runFields = {
  id: word,
  flow: word,
  flowVersion: word,
  name: runNameBy('id'),
  deployment: wordOrNull,
  parentRunId: wordOrNull,
  parentTaskRunId: wordOrNull,
  state,
  error: failure,
  attempt: count,
  recoveries: count,
  tags: z.array(z.string()),
  source: wordOrNull,
  scheduledFor: atOrNull,
  scheduleId: wordOrNull,
  backfillId: wordOrNull,
  concurrencyKey: textOrNull,
  fairKey: textOrNull.describe('By which it takes turns with others'),
  slots: count.nullable().describe('Places of a worker that it takes; null: 1'),
  dueAt: atOrNull,
  createdAt: at,
  startedAt: atOrNull,
  endedAt: atOrNull,
  cancelRequestedAt: atOrNull,
  queue: word,
  priority: noPayload(z.number().int()),
  epoch: count,
  owner: owner.nullable(),
  leaseUntil: atOrNull,
  executedMs: count.nullable(),
  resumedAt: atOrNull,
  mapped: z.record(word, count).nullable(),
  durationMs: figure.nullable().describe('How long it was executed, without waiting'),
  waitingMs: figure.nullable().describe('Between its start and its end, when it was not executed; suspended or not'),
  wallMs: figure.nullable().describe('From its first start to its end'),
};
export const alike = z
  .strictObject({ others: count, sinceAt: at })
  .nullable()
  .describe('Of a run that failed: how many others of its flow failed alike, and since when');
export const run = z.strictObject(runFields);
export const runItem = z.strictObject({
  ...runFields,
  tasks: z.strictObject({ total: count, ended: count, failed: count, stopped: count, underWay: noPayload(z.number().min(0)) }),
  alike,
  pinnedTo: wordOrNull.describe('The version of its flow to which it is pinned; null for one that is not, or has not begun'),
});

/** Contains the hash of its inputs, which allows testing guesses. */
const taskKey = replaced(z.string(), (key) => {
  const [name = '', ...inputs] = String(key).split('#');
  return inputs.length === 0 ? name : `${name}#${digestOf(inputs.join('#'))}`;
});

export const taskRun = z.strictObject({
  id: word,
  runId: word,
  name: word,
  key: taskKey,
  displayName: textOrNull,
  index: count.nullable(),
  state,
  attempt: count,
  startedAt: atOrNull,
  endedAt: atOrNull,
  dueAt: atOrNull,
  failures: count.nullable().optional().describe('Failed attempts that count against its retries, of one that has some'),
  dependsOn: z.array(taskKey).nullable(),
  progress: z.strictObject({ done: figure, total: figure.nullable() }).nullable(),
  metrics: z.record(z.string(), z.number()).nullable(),
  error: failure,
  childRunId: wordOrNull,
  resultBytes: z
    .number()
    .int()
    .min(0)
    .nullable()
    .describe('Size of a result over 256 KiB; null for smaller ones, and where it was not noted'),
  callArgs: z
    .array(
      z.union([
        z.strictObject({ result: z.string().describe('Key of the task run whose result it is') }),
        z.strictObject({ json: z.unknown(), types: z.unknown().optional(), cut: z.literal(true).optional() }),
        z.strictObject({ text: z.string().describe('What is no plain data, in words') }),
      ]),
    )
    .nullable()
    .describe('Arguments of a call in a code flow, cut and with secrets masked'),
  cachedFrom: z
    .strictObject({ runId: word, taskRunId: word, madeAt: at, entry: replaced(z.string(), (entry) => digestOf(String(entry))) })
    .nullable()
    .optional()
    .describe('Of one that is Cached: what made its value, and the entry of the cache'),
  cpuMs: count
    .nullable()
    .optional()
    .describe('CPU time over all attempts, ms; absent or null where it is not known, and below 5 ms of a shared thread'),
  peakBytes: count.nullable().optional().describe('Most memory that was seen, bytes'),
  usageScope: z
    .enum(usageScopes)
    .nullable()
    .optional()
    .describe(
      'Of what both are: a thread or process that it had to itself, or its share of the thread of a process, and all memory of that',
    ),
});

export const taskGroups = z.strictObject({
  items: z
    .array(
      z.strictObject({
        name: word,
        total: count,
        counts: z.record(word, count).describe('By the name of the state'),
        startedAt: atOrNull,
        endedAt: atOrNull,
        attempts: count,
        cpuMs: count.nullable().describe('Sum of their CPU time, ms'),
        peakBytes: count.nullable().describe('Most memory of one of them, bytes'),
        single: taskRun.pick({ id: true, displayName: true, childRunId: true, progress: true }).nullable(),
      }),
    )
    .describe('One of each task, in the order in which tasks were first recorded'),
  given: z
    .array(z.strictObject({ from: word, to: word }))
    .describe('Which tasks were given results of which, by their names: of a code flow; of a static graph only what undid its tasks'),
});

export const transition = z.strictObject({
  runId: word,
  taskRunId: wordOrNull,
  at,
  type: stateType,
  name: stateName,
  message: textOrNull,
  attempt: count,
  owner: wordOrNull,
});

export const logLine = z.strictObject({
  seq: count,
  runId: z.string(),
  taskRunId: textOrNull,
  at,
  level: z.number(),
  message: z.string(),
  fields: z.record(z.string(), z.unknown()).nullable(),
});

export const resourceUse = z.strictObject({
  id: word,
  runId: word,
  taskRunId: wordOrNull,
  resource: replaced(z.string(), withoutKey),
  scope: z.enum(['run', 'task']),
  beganAt: at,
  openedAt: at.nullable(),
  closingAt: at.nullable(),
  closedAt: at.nullable(),
  error: textOrNull,
});

export const flow = z.strictObject({
  name: word,
  version: word,
  description: wordOrNull,
  tags: z.array(word),
  kind: z.enum(['graph', 'code']),
  graph: noPayload(z.unknown()),
  paramsSchema: z.unknown(),
  concurrency: noPayload(z.unknown()).optional(),
  rateLimit: noPayload(z.unknown()).optional(),
  source: wordOrNull,
  updatedAt: at,
});

export const waitReason = z.strictObject({
  kind: z.enum(waitKinds),
  message: replaced(z.string(), wordsOfWait),
  untilAt: atOrNull,
  holders: z.array(word),
});

const times = z
  .strictObject({ executingMs: figure, suspendedMs: figure, waitingMs: figure, wallMs: figure })
  .nullable()
  .describe(
    'From its first start to its end, or now: executed, suspended, and what it otherwise waited, which add up to wallMs; null before its start',
  );

const rollback = z
  .strictObject({
    runId: word,
    stage: z.enum(['begun', 'complete', 'incomplete']),
    undone: count.nullable(),
    remaining: z.array(z.strictObject({ task: word, index: count.nullable(), taskRunId: word, undo: word, message: z.string() })),
  })
  .nullable()
  .describe('What came of undoing what its tasks had done');

const triggeredBy = { slug: word, firing: word, cause: z.string(), causeId: z.string(), count, hops: count };
const triggered = { ...triggeredBy, unchecked: z.literal(true).optional() };
const submitted = z
  .strictObject({
    expiresAt: at.optional(),
    debounceKey: z.string().optional(),
    traceparent: word.optional(),
    callerRunId: z.string().optional(),
    refreshCache: z.literal(true).optional(),
    replayOf: z.string().optional(),
    rate: z.string().optional(),
    trigger: z.strictObject(triggered).optional().describe('The trigger that started it, and what that fired for'),
  })
  .nullable()
  .describe(
    'What was said when it was submitted: until when it may begin, by which key calls are gathered into it, the trace it continues, who submitted it, that caches are passed over, whose rejected records it is given, the rate of its deployment that it is under, and which trigger started it; null for nothing',
  );

export const runDetails = z.strictObject({
  run,
  submitted,
  trace: z.strictObject({ id: word, url: z.string().nullable() }).describe('Its trace; url null without the setting traceUrl'),
  times,
  params: value.nullable().optional(),
  result: value.nullable().optional(),
  children: z.array(run),
  why: waitReason.nullable(),
  alike,
  rollback,
  pin: z
    .strictObject({ version: word, pinnedAt: at, workers: count.describe('Living workers that have that version') })
    .nullable()
    .describe('To which version of its flow it is pinned; null for one that is not, or has not begun'),
  counts: z.array(z.strictObject({ name: word, state: stateName, count })),
  flow: flow.nullable().optional().describe('With the values only, as params and result'),
});

export const taskDetails = z.strictObject({ taskRun, times, result: value.nullable(), inputs: z.array(taskRun) });
export const bulkReport = z.strictObject({
  matched: count,
  changed: count,
  refused: z.array(z.strictObject({ id: z.string(), message: z.string() })),
});
