/** Answers of the health routes. */
import { z } from 'zod';

const status = z.enum(['healthy', 'degraded', 'unhealthy']);

/** For everyone. */
export const health = z.strictObject({ status, checks: z.array(z.strictObject({ name: z.string(), status })) });

export const healthReport = z.strictObject({
  status: status.describe('The worst of the checks'),
  checks: z.array(
    z.strictObject({
      name: z.string(),
      status,
      found: z.string(),
      mend: z.string().nullable().describe('What to do; null when all is well'),
      tookMs: z.number(),
      at: z.iso.datetime(),
    }),
  ),
  history: z
    .array(z.strictObject({ status, check: z.string().nullable().describe('The worst check'), at: z.iso.datetime() }))
    .describe('Changes since the server began to look, newest first'),
});

const count = z.number();
const pool = z.strictObject({ active: count, idle: count, waiting: count, most: count });

export const monitoring = z.strictObject({
  at: z.iso.datetime().describe('When the figures were read from the database'),
  waiting: count,
  delayed: count,
  running: count,
  oldestAt: z.iso.datetime().nullable().describe('Since when the longest waiting run has been due'),
  inLastMinute: count,
  outLastMinute: count,
  scheduleLagMs: count.describe('How long the oldest tick has been due that has no run yet'),
  workers: z.strictObject({ alive: count, silent: count, places: count, used: count, longestLagMs: count }),
  limits: z.strictObject({ used: count, waiting: count }),
  cache: z.strictObject({ entries: count, bytes: count, hits: count, misses: count }),
  server: z.strictObject({ streams: count, memoryBytes: count, database: pool.nullable() }),
});
