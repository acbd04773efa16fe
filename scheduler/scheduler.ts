/**
 * The scheduler: the loops that keep a fleet going. Any number may run; what one finds, the others do not.
 *
 * It owns no runs. A crash loses nothing: every loop handles what is due.
 */
import { joinServices } from '../src/base/service.ts';
import type { FleetProcess, StartScheduler } from '../src/client/fleet-process.ts';
import { type Monitoring, startMonitoring } from '../src/client/monitoring.ts';
import { openLocalClient } from '../src/client/open-local-client.ts';
import { openHealthFile } from '../src/observe/health-file.ts';
import { sender, type SendParts } from '../src/alerts/send/send.ts';
import { BatutaError } from '../src/base/errors.ts';
import { freeSpace } from '../src/monitor/health/disk-check.ts';
import { alertsLoop, deliveriesLoop } from './loops/alerts.ts';
import { backfillLoop } from './loops/backfill.ts';
import { beatLoop } from './loops/beat.ts';
import { expiryLoop } from '../src/upkeep/expiry.ts';
import { limitNews, limitsLoop } from '../src/upkeep/limits.ts';
import { markLateLoop } from './loops/mark-late.ts';
import { materialiseLoop } from './loops/materialise.ts';
import { orphansLoop } from '../src/upkeep/orphans.ts';
import { overlapLoop } from '../src/upkeep/overlap.ts';
import { reclaimLoop } from '../src/upkeep/reclaim.ts';
import { reissueLoop } from '../src/upkeep/reissue.ts';
import { retentionLoop } from './loops/retention.ts';
import { rollupLoop } from './loops/rollup.ts';
import { triggersLoop } from './loops/triggers.ts';

/** Maximum interval of checks for lost runs, ms; a check is one small query. */
const slowestReclaimMs = 1_000;
const reissueMs = 5_000;
const limitsMs = 1_000;
const expiryMs = 1_000;
const orphansMs = 5_000;
/** How long before its tick a run is made, ms. */
const lookAheadMs = 5_000;
const overlapMs = 1_000;
const backfillMs = 1_000;
const triggersMs = 500;
const alertsMs = 1_000;
/** Sending mail takes several steps, each of which may take its time. */
const leastSendLeaseMs = 45_000;
const lateAfterMs = 15_000;
const rollupMs = 60_000;

/** @throws BatutaError CONFIG_INVALID, BROKER_UNAVAILABLE, STORE_… */
export const startScheduler: StartScheduler = async ({ config, log, metrics }): Promise<FleetProcess> => {
  const client = await openLocalClient({ config, log, reports: false });
  let monitoring: Monitoring | undefined;
  try {
    const { engine } = client;
    monitoring = await startMonitoring({ config, log, client, metrics, role: 'scheduler' });
    const broker = await client.broker();
    const parts = { engine, broker, log: log.logger };
    await engine.services.limits.connect(limitNews(parts));
    const healthFile = openHealthFile(config.healthFile, { clock: engine.services.leaseClock, goodForMs: config.leaseMs });
    const deliveries = deliveriesLoop(
      parts,
      { services: engine.services, leaseMs: Math.max(config.leaseMs, leastSendLeaseMs), send: sender(sendParts(client, config)) },
      { intervalMs: alertsMs },
    );
    const lookParts = { percentiles: new Map(), lookedHere: new Map(), leaseMs: config.leaseMs, diskSpace: () => freeSpace(config) };
    const loops = joinServices('scheduler', [
      materialiseLoop(parts, { lookAheadMs }),
      overlapLoop(parts, { intervalMs: overlapMs }),
      backfillLoop(parts, { intervalMs: backfillMs }),
      triggersLoop(parts, { intervalMs: triggersMs }),
      deliveries,
      alertsLoop(parts, { services: engine.services, ...lookParts }, { intervalMs: alertsMs, onFired: deliveries.wake }),
      markLateLoop(parts, { lateAfterMs }),
      reclaimLoop(parts, { intervalMs: Math.min(slowestReclaimMs, config.leaseMs / 3), maxRecoveries: config.maxRecoveries }),
      reissueLoop(parts, { intervalMs: reissueMs }),
      limitsLoop(parts, { intervalMs: limitsMs }),
      expiryLoop(parts, { intervalMs: expiryMs }),
      orphansLoop(parts, { intervalMs: orphansMs }),
      retentionLoop(parts, { retentionMs: config.retentionMs }),
      rollupLoop(parts, { intervalMs: rollupMs }),
      beatLoop(parts, { intervalMs: config.heartbeatMs, healthFile }),
    ]);
    await loops.start();
    return {
      greeting: `Scheduler on ${engine.services.store.url}, tickets by ${broker.url}.`,
      async stop() {
        await loops.stop();
        await monitoring?.stop();
        await client.close();
      },
    };
  } catch (error) {
    await monitoring?.stop();
    await client.close();
    throw error;
  }
};

/** What a process needs to send alerts. */
function sendParts(client: Awaited<ReturnType<typeof openLocalClient>>, config: Parameters<StartScheduler>[0]['config']): SendParts {
  const { smtpUrl, smtpFrom: from, alertHosts: allowedHosts, publicUrl } = config;
  const { clock, namedValues } = client.engine.services;
  return {
    ...{ clock, smtpUrl, from, allowedHosts, publicUrl },
    secret: async (name) => {
      if (!namedValues) throw new BatutaError('SECRET_NOT_FOUND', `There is no secret '${name}'.`, { details: { name } });
      return await namedValues.secret(name);
    },
    reactions: {
      run: async (deployment, params, idempotencyKey) =>
        (await client.deployments.run(deployment, Object.keys(params).length === 0 ? undefined : params, { idempotencyKey })).id,
      cancel: async (runId, message) => void (await client.runs.cancel(runId, message)),
      pause: async (deployment) => void (await client.deployments.pause(deployment)),
    },
  };
}
