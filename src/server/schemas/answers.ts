/** The success answer of each route, for the description of the API. */
import { z } from 'zod';
import * as alerts from './alerts.ts';
import * as payloads from './payload-answers.ts';
import * as fleet from './fleet-answers.ts';
import { health, healthReport, monitoring } from './health-answers.ts';
import * as runs from './run-answers.ts';
import * as secrets from './secret-answers.ts';
import * as triggers from './triggers.ts';
import * as webhooks from './webhooks.ts';

const { listOf, pageOf, run } = runs;
const done = z.strictObject({ ok: z.boolean() });

/** By method and address, as routes are registered: JSON answers. */
export const answers: Readonly<Record<string, z.ZodType>> = {
  'GET /health': health,
  'GET /api/health': healthReport,
  'GET /api/monitoring': monitoring,
  'GET /health/live': done,
  'GET /health/ready': done,
  'GET /api/me': fleet.me,
  'POST /api/login': fleet.me,
  'POST /api/logout': done,
  'GET /api/overview': fleet.overview,
  'GET /api/facets': fleet.facets,
  'GET /api/settings': listOf(fleet.setting),

  'GET /api/runs': pageOf(runs.runItem),
  'GET /api/runs/histogram': listOf(fleet.bucket),
  'GET /api/runs/:id': runs.runDetails,
  'GET /api/runs/:id/params': runs.storedValue,
  'GET /api/runs/:id/result': runs.storedValue,
  'GET /api/runs/:id/tasks/:taskRunId/result': runs.storedValue,
  'GET /api/runs/:id/graph': runs.taskGroups,
  'GET /api/runs/:id/tasks': pageOf(runs.taskRun),
  'GET /api/runs/:id/tasks/:taskRunId': runs.taskDetails,
  'GET /api/runs/:id/transitions': pageOf(runs.transition),
  'GET /api/runs/:id/logs': z.strictObject({
    items: z.array(runs.logLine),
    next: runs.count.nullable().describe('Number to continue after'),
  }),
  'GET /api/runs/:id/artifacts': pageOf(payloads.artifact),
  'GET /api/runs/:id/resources': pageOf(runs.resourceUse),
  'GET /api/runs/:id/rejects': pageOf(payloads.reject),
  'GET /api/runs/:id/rejects/counts': payloads.rejectCounts,
  'POST /api/runs/:id/rejects/retry': run,
  'GET /api/runs/:id/streams': listOf(payloads.emissionStream),
  'GET /api/runs/:id/streams/:stream': payloads.emissionPage,
  'GET /api/runs/:id/streams/:stream/:seq': runs.storedValue,
  'GET /api/artifacts': pageOf(payloads.listedArtifact),
  'GET /api/artifacts/keys': pageOf(payloads.artifactKey),
  'GET /api/artifacts/:id': payloads.foundArtifact,
  'POST /api/runs': run,
  'POST /api/runs/many': z.strictObject({ ids: z.array(z.string()) }),
  'POST /api/runs/cancel': runs.bulkReport,
  'POST /api/runs/retry': runs.bulkReport,
  'POST /api/runs/delete': runs.bulkReport,
  'POST /api/runs/unpin': runs.bulkReport,
  'POST /api/runs/:id/cancel': run,
  'POST /api/runs/:id/retry': run,
  'POST /api/runs/:id/unpin': run,
  'POST /api/runs/:id/signal': z.strictObject({ number: runs.count }),

  'GET /api/flows': pageOf(runs.flow.partial({ graph: true }).extend({ figures: fleet.figures.nullable() })),
  'GET /api/flows/:name': z.strictObject({ flow: runs.flow, figures: fleet.flowFigures }),
  'GET /api/flows/:name/days': listOf(fleet.day),
  'GET /api/flows/:name/workers': listOf(fleet.taskWorker),

  'GET /api/deployments': pageOf(fleet.deployment),
  'GET /api/deployments/:name': fleet.deployment,
  'GET /api/deployments/:name/versions': pageOf(fleet.version),
  'GET /api/deployments/:name/days': listOf(fleet.day),
  'GET /api/deployments/:name/triggers': triggers.triggersView,
  'POST /api/deployments': fleet.deployReport,
  'POST /api/deployments/deploy': listOf(fleet.deployReport),
  'POST /api/deployments/:name/run': run,
  'POST /api/deployments/:name/pause': fleet.deployment,
  'POST /api/deployments/:name/resume': fleet.deployment,
  'GET /api/ticks': listOf(fleet.tick),
  'POST /api/schedules/preview': fleet.schedulePreview,

  'GET /api/backfills': pageOf(fleet.backfill),
  'GET /api/backfills/:id': fleet.backfill,
  'POST /api/backfills/preview': fleet.backfillPreview,
  'POST /api/backfills': fleet.backfill,
  'POST /api/backfills/:id/cancel': fleet.backfill,
  'POST /api/backfills/:id/resume': fleet.backfill,

  'POST /api/events': triggers.emitReport,
  'GET /api/events/emitted': pageOf(triggers.emittedEvent),
  'GET /api/events/emitted/:id': triggers.emittedEvent,

  'POST /hooks/:name': webhooks.webhookReceived,
  'GET /api/webhooks': listOf(webhooks.webhook),
  'GET /api/webhooks/:name': webhooks.webhook,
  'PUT /api/webhooks/:name': webhooks.webhook,
  'POST /api/webhooks/:name/test': webhooks.webhookTest,

  'GET /api/workers': listOf(fleet.worker),
  'GET /api/reporters': listOf(fleet.reporter),
  'POST /api/reports': fleet.registered,
  'POST /api/reports/:id/batches': fleet.batchReport,
  'GET /api/queues': listOf(fleet.queue),
  'GET /api/inbox': pageOf(fleet.inboxItem),
  'GET /api/inbox/:id': fleet.inboxItem,
  'POST /api/inbox/:id/decide': fleet.inboxItem,
  'POST /api/inbox/:id/links': z.strictObject({ url: z.string() }),
  'GET /api/cache': pageOf(fleet.cacheEntry).extend({ totals: fleet.cacheTotals }),
  'GET /api/cache/:id': fleet.cacheEntryDetails,
  'POST /api/cache/clear': z.strictObject({ entries: runs.count }),
  'GET /api/limits': listOf(fleet.limit),
  'PUT /api/limits/:name': fleet.limit,
  'GET /api/alerts': pageOf(alerts.alert),
  'GET /api/alerts/:id': alerts.alertDetails,
  'POST /api/alerts/:id/resolve': alerts.alert,
  'GET /api/alert-rules': listOf(alerts.rule),
  'GET /api/alert-rules/:name': alerts.rule,
  'GET /api/alert-rules/:name/firings': listOf(alerts.sentFiring),
  'PUT /api/alert-rules/:name': alerts.rule,
  'POST /api/alert-rules/:name/pause': alerts.rule,
  'POST /api/alert-rules/:name/resume': alerts.rule,
  'POST /api/alert-rules/:name/test': alerts.firing,
  'GET /api/alert-silences': listOf(alerts.silence),
  'POST /api/alert-silences': alerts.silence,
  'GET /api/errors': pageOf(alerts.errorGroup),
  'GET /api/errors/:key': alerts.errorGroup,
  'POST /api/errors/:key/mark': alerts.errorGroup,
  'GET /api/secrets': listOf(secrets.listedSecret),
  'GET /api/secrets/:name': secrets.secret,
  'PUT /api/secrets/:name': secrets.secret,
  'POST /api/secrets/rotate': secrets.rotation,
  'GET /api/variables': listOf(secrets.variable),
  'GET /api/variables/:name': secrets.variable,
  'PUT /api/variables/:name': secrets.variable,
  'GET /api/connections': listOf(secrets.listedConnection),
  'GET /api/connections/:name': secrets.connection,
  'PUT /api/connections/:name': secrets.connection,
  'GET /api/keys': listOf(fleet.key),
  'POST /api/keys': z.strictObject({ key: z.string(), entry: fleet.key }),
  'DELETE /api/keys/:id': fleet.key,
  'GET /api/audit': pageOf(fleet.auditEntry),
};

/** Text answers, by media type. */
export const texts: Readonly<Record<string, string>> = {
  'GET /api/runs/:id/logs/download': 'text/plain',
  'GET /api/runs/:id/rejects/download': 'application/x-ndjson',
  'GET /api/artifacts/:id/content': '*/*',
  'GET /api/runs/:id/streams/:stream/events': 'text/event-stream',
  'GET /api/export/:kind': '*/*',
  'GET /api/events': 'text/event-stream',
  'GET /metrics': 'text/plain',
};

/** Routes that create. */
export const creating: ReadonlySet<string> = new Set([
  'POST /api/runs',
  'POST /api/runs/many',
  'POST /api/runs/:id/rejects/retry',
  'POST /api/events',
  'POST /api/deployments/:name/run',
  'POST /api/backfills',
  'POST /api/alert-silences',
  'POST /api/keys',
]);

/** Routes with an empty answer. */
export const withoutAnswer: ReadonlySet<string> = new Set([
  'DELETE /api/runs/:id',
  'DELETE /api/deployments/:name',
  'DELETE /api/limits/:name',
  'DELETE /api/secrets/:name',
  'DELETE /api/variables/:name',
  'DELETE /api/connections/:name',
  'DELETE /api/webhooks/:name',
  'DELETE /api/alert-rules/:name',
  'DELETE /api/alert-silences/:id',
]);

export const errorAnswer = z.strictObject({
  error: z.strictObject({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()) }),
});
