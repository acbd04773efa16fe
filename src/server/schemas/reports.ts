/** What a reporter sends: its card, a batch, and each kind of item. Instants are UTC epoch ms, as in the rows of its store. */
import { z } from 'zod';
import { artifactKinds } from '../../model/artifact.ts';
import { maxBatchItems } from '../../model/report.ts';
import { stateNames, stateTypes, terminalTypes } from '../../model/state.ts';
import { usageScopes } from '../../model/task-usage.ts';
import { line, prose } from './common.ts';

const id = line(100, 1);
const idOrNull = id.nullable();
const name = line(200, 1);
/** Names from users' code, or made of its data; at most their length was checked at the source. */
const given = prose(200);
const label = prose(2_000);
const version = prose(2_000);
const tags = z.array(label).max(10_000);
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const at = z.number().int().min(0).max(253_402_300_799_999);
const atOrNull = at.nullable();
const secret = line(100, 40);
const uuid = z.uuid();
/** A recorded value: superjson text, in clear or sealed. */
const value = z.string().max(1024 * 1024);

export const reporterBody = z.strictObject({
  id: uuid,
  secret,
  name,
  version: name,
  batuta: name,
  host: name,
  pid: count,
  startedAt: at,
  confirmed: count.describe('Number of the last item that was confirmed to it; 0 for none'),
  sent: count.describe('Number of the last item that it has sent, confirmed or not; 0 for none'),
  previous: z.strictObject({ id: uuid, secret }).nullable().describe('Who it was before its version changed'),
  token: secret.nullable().describe('By which it registered last; null for the first time'),
  nextToken: secret.describe('By which it is known from now on: 43 random characters behind `rt_`, other ones each time'),
});

export const batchBody = z.strictObject({
  secret,
  token: secret.describe('By which it has registered last'),
  after: count.describe('Number of the last item that was confirmed before'),
  note: z.strictObject({ waitingItems: count, waitingBytes: count, dropped: count, isStopping: z.boolean() }),
  items: z
    .array(z.strictObject({ seq: count, kind: z.enum(['flow', 'run', 'task', 'transition', 'log', 'artifact']), data: z.unknown() }))
    .max(maxBatchItems)
    .describe('By their numbers, lowest first; one that does not fit is refused and leaves the others as they are'),
});

const state = z
  .strictObject({ type: z.enum(stateTypes), name: z.string(), message: prose(256 * 1024).nullable() })
  .refine(({ type, name: word }) => (stateNames[type] as readonly string[]).includes(word), 'is no state: no such name of that type');

const failure: z.ZodType = z.looseObject({
  name: prose(10_000),
  message: prose(256 * 1024),
  code: prose(10_000).nullable(),
  stack: prose(256 * 1024).nullable(),
  get cause() {
    return failure.nullable();
  },
  get errors() {
    return z.array(failure).max(100).optional();
  },
  origin: z
    .strictObject({
      key: line(100),
      task: label.nullable(),
      attempt: count,
      attempts: count,
      frame: prose(10_000).nullable(),
    })
    .optional(),
});

const numbers = z.record(label, z.number());

const times = { startedAt: atOrNull, endedAt: atOrNull, dueAt: atOrNull };
/** An end instant is present exactly if it has ended. */
const endsOnce = ({ state: { type }, endedAt }: { readonly state: { readonly type: string }; readonly endedAt: number | null }): boolean =>
  (terminalTypes as readonly string[]).includes(type) === (endedAt !== null);

const run = z
  .strictObject({
    id,
    flow: name,
    flowVersion: version,
    name: given,
    parentRunId: idOrNull,
    parentTaskRunId: idOrNull,
    state,
    params: value,
    result: value.nullable(),
    keptBytes: count.nullable(),
    error: failure.nullable(),
    attempt: count,
    recoveries: count,
    tags,
    scheduledFor: atOrNull,
    createdAt: at,
    ...times,
    executedMs: count.nullable(),
    resumedAt: atOrNull,
    mapped: numbers.nullable(),
    queue: name,
    priority: z.number().int().min(-100).max(100),
    ranBy: z.strictObject({ name, version: name, host: name, pid: count }),
  })
  .refine(endsOnce, 'has ended without an instant of its end, or has one without having ended');

const task = z
  .strictObject({
    id,
    runId: id,
    // For a sub-flow `flow:` and the name of that flow.
    name: line(300, 1),
    key: label,
    displayName: label.nullable(),
    index: count.nullable(),
    state,
    attempt: count,
    ...times,
    failures: count.nullable().optional(),
    dependsOn: z.array(label).max(100_000).nullable(),
    progress: z.strictObject({ done: z.number(), total: z.number().nullable() }).nullable(),
    metrics: numbers.nullable(),
    result: value.nullable(),
    keptBytes: count.nullable(),
    error: failure.nullable(),
    childRunId: idOrNull,
    itemHash: line(200).nullable(),
    callArgs: z
      .array(
        z.union([
          z.strictObject({ result: label }),
          z.strictObject({ json: z.unknown(), types: z.unknown().optional(), cut: z.literal(true).optional() }),
          z.strictObject({ text: prose(256 * 1024) }),
        ]),
      )
      .max(1_000)
      .nullable(),
    cachedFrom: z
      .strictObject({ runId: id, taskRunId: id, madeAt: at, entry: line(200) })
      .nullable()
      .optional(),
    cpuMs: count.nullable().optional(),
    peakBytes: count.nullable().optional(),
    usageScope: z.enum(usageScopes).nullable().optional(),
  })
  .refine(endsOnce, 'has ended without an instant of its end, or has one without having ended');

const ofRun = { runId: id, taskRunId: idOrNull };

/** Schema of an item's data by kind. */
export const itemData = {
  flow: z.strictObject({
    name,
    version,
    description: prose(256 * 1024).nullable(),
    tags,
    kind: z.enum(['graph', 'code']),
    graph: z.unknown(),
    updatedAt: at,
  }),
  run,
  task,
  transition: z
    .strictObject({
      ...ofRun,
      number: count,
      at,
      type: z.enum(stateTypes),
      name: z.string(),
      message: prose(256 * 1024).nullable(),
      attempt: count,
      owner: line(500).nullable(),
    })
    .refine(({ type, name: word }) => (stateNames[type] as readonly string[]).includes(word), 'is no state: no such name of that type'),
  log: z.strictObject({
    ...ofRun,
    number: count,
    at,
    level: z.number().int().min(0).max(100),
    message: prose(256 * 1024),
    fields: z.record(z.string(), z.unknown()).nullable(),
  }),
  artifact: z.strictObject({
    ...ofRun,
    id,
    kind: z.enum(artifactKinds),
    name: prose(10_000),
    createdAt: at,
    key: prose(200).nullable().optional(),
    bytes: count.nullable().optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .nullable()
      .optional(),
    data: z.unknown(),
  }),
} as const;
