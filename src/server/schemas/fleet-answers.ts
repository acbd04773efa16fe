/** What the API gives of deployments, the fleet and access, as its description tells it. A test holds every answer to this. */
import { z } from 'zod';
import { roles } from '../../model/access.ts';
import { catchupPolicies, conflictPolicies, type DeploymentOrigin, overlapPolicies } from '../../model/deployment.ts';
import { alike, at, atOrNull, count, failure, runItem, state, stateType, textOrNull } from './run-answers.ts';

const msOrNull = z.number().nullable();

const schedule = z.strictObject({
  id: z.string(),
  deployment: z.string(),
  slug: z.string(),
  schedule: z.unknown(),
  params: textOrNull.describe('superjson text'),
  jitterMs: count,
  pausedAt: atOrNull,
  nextTickAt: atOrNull,
  createdAt: at,
  fault: z.string().optional().describe('why it was set aside'),
});

export const deployment = z.strictObject({
  id: z.string(),
  name: z.string(),
  flow: z.string(),
  flowVersion: z.string(),
  source: textOrNull,
  version: count,
  description: textOrNull,
  params: z.string().describe('superjson text'),
  tags: z.array(z.string()),
  queue: z.string(),
  priority: z.number().int(),
  concurrency: z.strictObject({ limit: count, key: textOrNull, onConflict: z.enum(conflictPolicies) }).nullable(),
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
  lastRun: z
    .strictObject({
      id: z.string(),
      name: z.string(),
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
});
export const version = z.strictObject({
  deployment: z.string(),
  version: count,
  flowVersion: z.string(),
  at,
  graph: z.unknown(),
  spec: z.unknown(),
});
export const tick = z.strictObject({ deployment: z.string(), schedule: z.string(), at });
export const schedulePreview = z.strictObject({ words: z.string(), ticks: z.array(at), warnings: z.array(z.string()) });

export const backfill = z.strictObject({
  id: z.string(),
  deployment: z.string(),
  schedule: z.string(),
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
  name: z.string(),
  runs: count,
  failures: count,
  meanMs: msOrNull,
  p50Ms: msOrNull,
  p95Ms: msOrNull,
});
export const flowFigures = figures.extend({ tasks: z.array(figures) });
export const day = z.strictObject({ startAt: at, completed: count, failed: count, cancelled: count, p50Ms: msOrNull, p95Ms: msOrNull });
export const bucket = z.strictObject({ startAt: at, counts: z.partialRecord(stateType, count) });

export const worker = z.strictObject({
  id: z.string(),
  name: z.string(),
  version: z.string(),
  host: z.string(),
  pid: z.number(),
  queues: z.array(z.string()),
  concurrency: count,
  flows: z.record(z.string(), z.string()).describe('Names with versions'),
  startedAt: at,
  beatAt: at,
  silentMs: z.number(),
  state: z.enum(['alive', 'silent', 'gone']).describe('`silent`: no sign of life for a lease; `gone`: its process has ended'),
  running: count,
  lagMs: z.number(),
});
export const queue = z.strictObject({
  name: z.string(),
  waiting: count,
  delayed: count,
  running: count,
  oldestAt: atOrNull,
  workers: count,
  inLastMinute: count,
  outLastMinute: count,
});
const holder = z.strictObject({ runId: z.string(), runName: z.string(), taskRunId: textOrNull, sinceAt: at });
export const limit = z.strictObject({
  name: z.string(),
  slots: count,
  changeable: z.boolean(),
  holders: z.array(holder),
  waiters: z.array(holder),
  held: count,
  waiting: count,
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
      name: z.string(),
      flow: z.string(),
      message: z.string(),
      sinceAt: at,
      runId: textOrNull,
      failure: z
        .strictObject({ streak: z.string(), state, error: failure, alike })
        .nullable()
        .describe('Of what fails: what the sentence about its newest run is made of'),
    }),
  ),
  runningNow: z.array(runItem),
  upcoming: z.array(tick),
  workers: z.array(worker),
  queues: z.array(queue),
});
export const facets = z.strictObject({ flows: z.array(z.string()), deployments: z.array(z.string()), tags: z.array(z.string()) });
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
