/** Puts a store together over a connection. What needs Kysely is loaded when it is first asked for. */
import { auditStore, keyStore, sessionStore } from './access.ts';
import { cancelRequested, claimRun, getRun, insertRun, releaseClaim, renewClaims } from './claim.ts';
import type { Connection } from './connection.ts';
import { artifactStore } from './artifacts.ts';
import { requestCancel } from './cancel.ts';
import { figureStore } from './figures.ts';
import { backfillStore } from './backfills.ts';
import { deploymentStore } from './deployments.ts';
import { eventStore } from './events.ts';
import { fleetStore } from './fleet.ts';
import { flowStore } from './flows.ts';
import { limitStore } from './limits.ts';
import { logStore } from './logs.ts';
import { migrate, schemaVersion } from './migrations/migrate.ts';
import { GroupCommitRecorder } from './recorder.ts';
import type { RecorderOptions } from './recorder.ts';
import { deleteRun, expireRuns, pruneRuns, resultRefsOf } from './remove.ts';
import { reopenRun } from './reopen.ts';
import { listRuns } from './run-list.ts';
import { signalStore } from './signals.ts';
import { spreadStore } from './spread.ts';
import type { RunStore, Store } from './store.ts';
import { taskRunStore } from './task-runs.ts';
import { ticketStore } from './tickets.ts';
import { tickStore } from './ticks.ts';
import { transitionStore } from './transitions.ts';
import { workerStore } from './workers.ts';

/** Length of a whole id. */
const idChars = 36;
const pruneBatchRuns = 500;

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
    flows: flowStore(connection),
    signals: signalStore(connection),
    deployments: deploymentStore(connection),
    backfills: backfillStore(connection),
    tickets: ticketStore(connection),
    fleet: fleetStore(connection),
    limits: limitStore(connection),
    spread: spreadStore(connection),
    ticks: tickStore(connection),
    workers: workerStore(connection),
    figures: figureStore(connection),
    keys: keyStore(connection),
    sessions: sessionStore(connection),
    audit: auditStore(connection),
    events: eventStore(connection),
    recorder,
    dataVersion: () => connection.dataVersion(),
    watchWrites: (onWrite) => connection.watchWrites?.(onWrite) ?? null,
    freeReserve: () => connection.freeReserve?.(),
    migrate: () => migrate(connection),
    schemaVersion: () => schemaVersion(connection),
    resultRefs: (runId) => resultRefsOf(connection, runId),
    prune: (before, { batch = pruneBatchRuns, signal } = {}) => pruneRuns(connection, before, batch, signal),
    expire: ({ now, keepMs, batch = pruneBatchRuns, signal }) => expireRuns(connection, { now, keepMs, batch, signal }),
    async close() {
      await recorder.close();
      await connection.close();
    },
  };
}

function runStore(connection: Connection): RunStore {
  const queries = (): Promise<typeof import('./runs.ts')> => import('./runs.ts');
  return {
    get: async (id) => (id.length >= idChars ? await getRun(connection, id) : await (await queries()).findRun(connection, id)),
    list: (filter = {}) => listRuns(connection, filter),
    children: async (parentRunId) => await (await queries()).childRuns(connection, parentRunId),
    insert: (run) => insertRun(connection, run),
    claim: (id, owner, leaseMs, isGone) => claimRun(connection, id, owner, leaseMs, isGone),
    renew: (claims, leaseMs) => renewClaims(connection, claims, leaseMs),
    release: (claim) => releaseClaim(connection, claim),
    requestCancel: (id, at, message, isGone) => requestCancel(connection, id, at, message, isGone),
    cancelRequested: (claims) => cancelRequested(connection, claims),
    reopen: (id, at, fromTasks = []) => reopenRun(connection, id, at, fromTasks),
    delete: (id, { force = false } = {}) => deleteRun(connection, id, force),
  };
}
