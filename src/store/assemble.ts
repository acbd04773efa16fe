/** Assembles a store over a connection. */
import { findRun, childRuns, withWholeIds } from './runs/find.ts';
import { renewLeases, releaseLease } from './leases/leases.ts';
import { runWork } from './fleet/waiting.ts';
import { idChars } from '../model/ids.ts';
import { auditStore, keyStore, sessionStore } from './access/access.ts';
import { alertStore } from './alerts/alerts.ts';
import { errorGroupStore } from './alerts/error-groups.ts';
import { backfillStore } from './backfills/backfills.ts';
import { cacheStore } from './cache/cache.ts';
import type { Connection } from './connection.ts';
import { debounceStore } from './debounces/debounces.ts';
import { deploymentStore } from './deployments/deployments.ts';
import { emissionStore } from './emissions/emissions.ts';
import { eventStore } from './events/events.ts';
import { expiryStore } from './expiry/expiry.ts';
import { fairnessStore } from './fairness/fairness.ts';
import { figureStore } from './figures/figures.ts';
import { fleetStore } from './fleet/fleet.ts';
import { ticketStore } from './fleet/tickets.ts';
import { workerStore } from './fleet/workers.ts';
import { flowStore } from './flows.ts';
import { limitStore } from './limits/limits.ts';
import { rateStore } from './limits/rates.ts';
import { exportStore } from './lists/exported.ts';
import { artifactStore } from './lists/artifacts.ts';
import { resourceUseStore } from './lists/resource-uses.ts';
import { logStore } from './lists/logs.ts';
import { listRuns } from './lists/runs.ts';
import { taskRunStore } from './lists/task-runs.ts';
import { migrate, schemaVersion } from './migrations/migrate.ts';
import { GroupCommitRecorder, type RecorderOptions } from './recorder.ts';
import { pinStore } from './pins/pins.ts';
import { requestCancel } from './runs/cancel.ts';
import { cancelRequested, claimRun, getRun, insertRun } from './runs/claim.ts';
import { deleteRun, expireRuns, keptResultsOf, pruneRuns, resultRefsOf } from './runs/remove.ts';
import { reopenRun } from './runs/reopen.ts';
import { streamStore } from './streams/streams.ts';
import { rollbackStore } from './rollbacks/rollbacks.ts';
import { signalStore } from './runs/signals.ts';
import { inboxStore } from './inbox/inbox.ts';
import { transitionStore } from './runs/transitions.ts';
import { connectionStore, secretStore, variableStore } from './secrets/secrets.ts';
import { outboxStore } from './reporting/outbox.ts';
import { reportStore } from './reporting/incoming.ts';
import { resultStore } from './results/results.ts';
import { suspectStore } from './suspects/suspects.ts';
import { spreadStore } from './spread/spread.ts';
import type { RunStore, Store } from './store.ts';
import { tickStore } from './ticks/ticks.ts';
import { emittedStore } from './triggers/emitted.ts';
import { triggerStore } from './triggers/triggers.ts';
import { webhookStore } from './triggers/webhooks.ts';

/** A store over a connection, which it owns from now on. */
export function assembleStore(connection: Connection, options: RecorderOptions): Store {
  const recorder = new GroupCommitRecorder(connection, options);
  return {
    dialect: connection.dialect,
    url: connection.url,
    runs: runStore(connection),
    taskRuns: taskRunStore(connection),
    transitions: transitionStore(connection),
    logs: logStore(connection),
    artifacts: artifactStore(connection),
    resourceUses: resourceUseStore(connection),
    emissions: emissionStore(connection),
    exports: exportStore(connection),
    pins: pinStore(connection),
    flows: flowStore(connection),
    signals: signalStore(connection),
    inbox: inboxStore(connection),
    deployments: deploymentStore(connection),
    backfills: backfillStore(connection),
    tickets: ticketStore(connection),
    cache: cacheStore(connection),
    rollbacks: rollbackStore(connection),
    fleet: fleetStore(connection),
    expiry: expiryStore(connection),
    fairness: fairnessStore(connection),
    debounces: debounceStore(connection),
    limits: limitStore(connection),
    rates: rateStore(connection),
    spread: spreadStore(connection),
    streams: streamStore(connection),
    results: resultStore(connection),
    suspects: suspectStore(connection),
    ticks: tickStore(connection),
    triggers: triggerStore(connection),
    emitted: emittedStore(connection),
    webhooks: webhookStore(connection),
    alerts: alertStore(connection),
    errorGroups: errorGroupStore(connection),
    workers: workerStore(connection),
    figures: figureStore(connection),
    keys: keyStore(connection),
    sessions: sessionStore(connection),
    audit: auditStore(connection),
    secrets: secretStore(connection),
    variables: variableStore(connection),
    connections: connectionStore(connection),
    events: eventStore(connection),
    reports: reportStore(connection),
    outbox: outboxStore(connection),
    recorder,
    dataVersion: () => connection.dataVersion(),
    watchWrites: (onWrite) => connection.watchWrites?.(onWrite) ?? null,
    poolUse: () => connection.poolUse?.() ?? null,
    freeReserve: () => connection.freeReserve?.(),
    migrate: () => migrate(connection),
    schemaVersion: () => schemaVersion(connection),
    resultRefs: (runId) => resultRefsOf(connection, runId),
    keptResults: (keys) => keptResultsOf(connection, keys),
    prune: (before, options) => pruneRuns(connection, before, options),
    expire: (options) => expireRuns(connection, options),
    async close() {
      await recorder.close();
      await connection.close();
    },
  };
}

function runStore(connection: Connection): RunStore {
  return {
    get: async (id) => (id.length >= idChars ? await getRun(connection, id) : await findRun(connection, id)),
    list: async (filter = {}) => await listRuns(connection, await withWholeIds(connection, filter)),
    children: (parentRunId) => childRuns(connection, parentRunId),
    insert: (run) => insertRun(connection, run),
    claim: (id, owner, leaseMs, isGone) => claimRun(connection, id, owner, leaseMs, isGone),
    renew: (claims, leaseMs) => renewLeases(connection, runWork, claims, leaseMs),
    async release(claim) {
      await releaseLease(connection, runWork, claim);
    },
    async setParams({ runId, epoch }, params) {
      await connection.query('update runs set params = $3 where id = $1 and epoch = $2', [runId, epoch, params]);
    },
    requestCancel: (id, at, message, isGone) => requestCancel(connection, id, at, message, isGone),
    cancelRequested: (claims) => cancelRequested(connection, claims),
    reopen: (id, at, fromTasks = []) => reopenRun(connection, id, at, fromTasks),
    delete: (id, { force = false } = {}) => deleteRun(connection, id, force),
  };
}
