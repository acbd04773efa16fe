/** Answers about deployments, the fleet and access, as documented. A test checks every answer against this. */
import { z } from 'zod';
import { inboxStatuses } from '../../model/inbox.ts';
import { roles } from '../../model/access.ts';
import { reporterStates } from '../../model/report.ts';
import { catchupPolicies, conflictPolicies, type DeploymentOrigin, overlapPolicies } from '../../model/deployment.ts';
import { limitWithoutKey, wordsOfAttention } from './hidden-words.ts';
import { figure, noPayload, replaced, runNameBy, word, wordOrNull } from './payloads.ts';
import { alike, at, atOrNull, count, failure, runItem, state, stateName, stateType, textOrNull } from './run-answers.ts';
import { trigger } from './triggers.ts';

const msOrNull = figure.nullable();

const schedule = z.strictObject({
  id: word,
  deployment: word,
  slug: word,
  schedule: noPayload(z.unknown()),
  params: textOrNull.describe('superjson text'),
  jitterMs: count,
  pausedAt: atOrNull,
  nextTickAt: atOrNull,
  createdAt: at,
  fault: z.string().optional().describe('why it was set aside'),
});

export const deployment = z.strictObject({
  id: word,
  name: word,
  flow: word,
  flowVersion: word,
  source: wordOrNull,
  version: count,
  description: wordOrNull,
  params: replaced(z.string().describe('superjson text'), () => '{"json":{}}'),
  tags: z.array(word),
  queue: word,
  priority: noPayload(z.number().int()),
  concurrency: z.strictObject({ limit: count, key: wordOrNull, onConflict: z.enum(conflictPolicies) }).nullable(),
  rateLimit: z.strictObject({ limit: count, perMs: count, key: wordOrNull }).optional().describe('Missing where any number may begin'),
  ...{ fairness: word.optional().describe('Template of a key; missing: no turns'), slots: count.optional().describe('Missing: 1') },
  catchup: z.enum(catchupPolicies),
  catchupWindowMs: count,
  overlap: z.enum(overlapPolicies),
  retentionMs: msOrNull,
  runName: textOrNull,
  pausedAt: atOrNull,
  origin: z.enum(['command', 'config', 'code'] satisfies readonly DeploymentOrigin[]),
  createdAt: at,
  updatedAt: at,
  schedules: z.array(schedule),
  triggers: z.array(trigger).optional().describe('Missing when it has none'),
  lastRun: z
    .strictObject({
      id: word,
      name: runNameBy('id'),
      state,
      scheduledFor: atOrNull,
      createdAt: at,
      startedAt: atOrNull,
      endedAt: atOrNull,
    })
    .nullable(),
});

export const deployReport = z.strictObject({
  outcome: z.enum(['created', 'changed', 'unchanged', 'deleted']),
  deployment,
  changes: z.array(z.strictObject({ what: z.string(), before: textOrNull, after: textOrNull })),
  graph: z.unknown().describe('{ added, removed, rewired }, or null'),
  touched: z
    .strictObject({ continuing: z.partialRecord(stateName, count), pinned: z.partialRecord(stateName, count) })
    .nullable()
    .describe(
      'Runs of the flow under way that began with another version, by name of the state; null for none, and where nothing has changed',
    ),
});
export const version = z.strictObject({
  deployment: word,
  version: count,
  flowVersion: word,
  at,
  graph: noPayload(z.unknown()),
  spec: z.unknown(),
});
export const tick = z.strictObject({ deployment: word, schedule: word, at });
export const schedulePreview = z.strictObject({ words: word, ticks: z.array(at), warnings: z.array(word) });

export const backfill = z.strictObject({
  id: word,
  deployment: word,
  schedule: word,
  fromAt: at,
  untilAt: at,
  order: z.enum(['oldest', 'newest']),
  maxParallel: count,
  total: count,
  createdAt: at,
  cancelRequestedAt: atOrNull,
  endedAt: atOrNull,
  waiting: count,
  running: count,
  completed: count,
  failed: count,
  cancelled: count,
});
export const backfillPreview = z.strictObject({ total: count, exact: z.boolean(), first: z.array(at), last: z.array(at) });

export const figures = z.strictObject({
  name: word,
  runs: count,
  failures: count,
  meanMs: msOrNull,
  p50Ms: msOrNull,
  p95Ms: msOrNull,
});
const taskFigures = figures.extend({
  cpuP50Ms: msOrNull.describe('CPU time of those task runs of which it is known'),
  cpuP95Ms: msOrNull,
  peakBytes: count.nullable().describe('Most memory of one of them'),
});
export const flowFigures = figures.extend({ tasks: z.array(taskFigures) });
export const taskWorker = z.strictObject({
  task: word,
  worker: word.nullable(),
  host: word.nullable(),
  pid: figure.nullable(),
  runs: count,
  failures: count,
  meanMs: figure,
});

export const day = z.strictObject({ startAt: at, completed: count, failed: count, cancelled: count, p50Ms: msOrNull, p95Ms: msOrNull });
export const bucket = z.strictObject({ startAt: at, counts: z.partialRecord(stateType, count) });

export const worker = z.strictObject({
  id: word,
  name: word,
  version: word,
  host: word,
  pid: figure,
  queues: z.array(word),
  concurrency: count,
  flows: z.record(word, word).describe('Names with versions'),
  startedAt: at,
  beatAt: at,
  silentMs: figure,
  state: z.enum(['alive', 'silent', 'gone']).describe('`silent`: no sign of life for a lease; `gone`: its process has ended'),
  running: count,
  lagMs: figure,
});
export const reporter = z.strictObject({
  id: word,
  name: word,
  version: word,
  batuta: word,
  host: word,
  pid: figure,
  state: z
    .enum(reporterStates)
    .describe('`silent`: not heard from for 30 s; `stopped`: ended in order; `replaced`: continues as another version'),
  startedAt: at,
  registeredAt: at,
  beatAt: at,
  silentMs: figure,
  stoppedAt: atOrNull,
  replacedBy: wordOrNull,
  openRuns: count,
  waitingItems: count.describe('What waits on its disk'),
  waitingBytes: count,
  dropped: count.describe('Log lines and artifacts that it left out, because too much waited'),
  refused: count.describe('Items that were not taken'),
});
export const registered = z.strictObject({ last: count, isNew: z.boolean() });
export const batchReport = z.strictObject({
  last: count.describe('Number of the last item that is taken from now on'),
  refused: z.array(z.strictObject({ seq: count, reason: z.enum(['invalid', 'foreign', 'unknown-run', 'state']), message: z.string() })),
  refusedCount: count,
});
export const queue = z.strictObject({
  name: word,
  waiting: count,
  delayed: count,
  running: count,
  oldestAt: atOrNull,
  workers: count,
  inLastMinute: count,
  outLastMinute: count,
});
const holder = z.strictObject({ runId: word, runName: runNameBy('runId'), taskRunId: wordOrNull, sinceAt: at, nextAt: at.optional() });
export const limit = z.strictObject({
  name: replaced(z.string(), limitWithoutKey),
  slots: count.describe('Of a rate: how many begin in a window'),
  rate: z
    .strictObject({ perMs: count, key: wordOrNull, nextAt: atOrNull })
    .optional()
    .describe('For a rate; missing for a limit on what runs at the same time'),
  changeable: z.boolean(),
  holders: z.array(holder),
  waiters: z.array(holder),
  held: count.describe('Of a rate: starts in the window that ends now'),
  waiting: count,
});

export const inboxItem = z.strictObject({
  id: z.string(),
  runId: z.string(),
  name: z.string(),
  number: count,
  title: z.string(),
  description: textOrNull,
  schema: z.unknown().describe('JSON Schema of the answer; null where there is none'),
  status: z.enum(inboxStatuses),
  data: z.strictObject({ json: z.unknown(), meta: z.unknown().optional() }).nullable().describe('What was decided'),
  decidedBy: textOrNull,
  decidedVia: z.enum(['client', 'api', 'dashboard', 'link']).nullable(),
  problem: textOrNull.describe('Why the flow refused the last answer'),
  createdAt: at,
  dueAt: atOrNull,
  decidedAt: atOrNull,
  flow: z.string(),
  runName: z.string(),
});

export const cacheEntry = z.strictObject({
  id: z.string(),
  flow: z.string(),
  task: z.string(),
  version: z.string(),
  scopeRunId: textOrNull,
  shown: z.string().describe('What the value was made of, cut'),
  runId: textOrNull,
  taskRunId: textOrNull,
  madeAt: atOrNull,
  expiresAt: atOrNull,
  bytes: count.nullable(),
  hits: count,
  misses: count,
  waits: count,
  usedAt: at,
  makingRunId: textOrNull,
});
export const cacheEntryDetails = cacheEntry.extend({
  result: z.strictObject({ json: z.unknown(), meta: z.unknown().optional() }).nullable(),
  isLarge: z.boolean(),
});
export const cacheTotals = z.strictObject({ entries: count, bytes: count, hits: count, misses: count, waits: count });

export const overview = z.strictObject({
  sinceAt: at,
  untilAt: at,
  runs: count,
  completed: count,
  failed: count,
  late: count,
  running: count,
  waiting: count,
  next: tick.nullable(),
  histogram: z.array(bucket),
  attention: z.array(
    z.strictObject({
      kind: z.enum(['failing', 'late', 'lost', 'no-worker', 'no-scheduler']),
      name: word,
      flow: word,
      message: replaced(z.string(), wordsOfAttention),
      sinceAt: at,
      runId: wordOrNull,
      failure: z
        .strictObject({ streak: word, state, error: failure, alike })
        .nullable()
        .describe('Of what fails: what the sentence about its newest run is made of'),
    }),
  ),
  runningNow: z.array(runItem),
  upcoming: z.array(tick),
  workers: z.array(worker),
  queues: z.array(queue),
});
export const facets = z.strictObject({ flows: z.array(word), deployments: z.array(word), tags: z.array(z.string()) });
export const setting = z.strictObject({ name: z.string(), env: z.string(), value: z.string(), source: z.string() });

export const key = z.strictObject({
  id: z.string(),
  name: z.string(),
  role: z.enum(roles),
  createdAt: at,
  expiresAt: atOrNull,
  revokedAt: atOrNull,
  lastUsedAt: atOrNull,
});
export const auditEntry = z.strictObject({
  seq: count,
  at,
  keyId: textOrNull,
  who: z.string(),
  action: z.string(),
  target: textOrNull,
  details: z.unknown(),
});
export const me = z.strictObject({ role: z.enum(roles).nullable(), who: textOrNull, csrf: textOrNull, needsKey: z.boolean() });
