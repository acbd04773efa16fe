/** Runs of a flow that declares how many of them may go on at a time. */
import { stateOf } from '../../../src/model/state.ts';
import type { Concurrency } from '../../../src/model/deployment.ts';
import type { NewRun, Store } from '../../../src/store/store.ts';
import { endRun, leaseMs, newRun, owner, ownerNamed, startedAt } from './rows.ts';

/** What the runs of the flow `sync` are counted under. */
export const key = 'flow:sync';
export const worker = ownerNamed('worker');

/** A flow that declares a limit of one run at a time unless told otherwise, or none at all. */
export async function declareLimit(store: Store, concurrency: Partial<Concurrency> | null, name = 'sync'): Promise<void> {
  await store.flows.put({
    name,
    version: 'v1',
    description: null,
    tags: [],
    kind: 'graph',
    graph: {},
    paramsSchema: null,
    source: null,
    updatedAt: startedAt,
    concurrency: concurrency === null ? null : { limit: 1, key: null, onConflict: 'queue', ...concurrency },
  });
}

let made = 0;
/** A run of `sync`, each later than the one before. */
export const limited = (changes: Partial<NewRun> = {}): NewRun =>
  newRun({
    flow: 'sync',
    name: `run-${made}`,
    state: stateOf('SCHEDULED'),
    concurrencyKey: key,
    createdAt: startedAt + made++,
    ...changes,
  });

/** Stores such a run for workers to claim; gives its id. */
export async function insertLimited(store: Store, changes: Partial<NewRun> = {}): Promise<string> {
  const run = limited(changes);
  await store.fleet.insertMany([{ run, idempotencyKey: null }]);
  return run.id;
}

/** Stores that many; gives their ids in order. */
export async function insertManyLimited(store: Store, count: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) ids.push(await insertLimited(store));
  return ids;
}

/** Starts such a run in a process that owns it from the start; gives its id, and whether it has a slot. @param lease of its process, ms */
export async function startLimited(store: Store, changes: Partial<NewRun> = {}, lease = leaseMs) {
  const run = { ...limited({ state: stateOf('PENDING'), ...changes }), concurrencyKey: changes.concurrencyKey ?? key };
  return { id: run.id, outcome: await store.limits.start(run, owner, lease) };
}

/** Stores such a run that had begun when it was lost, and waits for its next owner; gives its id. */
export async function resumeLimited(store: Store, changes: Partial<NewRun> = {}): Promise<string> {
  const run = limited(changes);
  await store.recorder.addRun(run, ownerNamed('gone'), 0);
  await store.recorder.addRunPatch({ runId: run.id, epoch: 1 }, { state: stateOf('RUNNING'), startedAt }, null);
  await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [] });
  return run.id;
}

/** Tries to claim these runs for `worker`; gives the ids of those it got. */
export const claimRuns = async (store: Store, ...ids: string[]): Promise<string[]> => [
  ...(await store.fleet.claimMany(ids, worker, leaseMs)).keys(),
];

/** Runs of `sync` whose turn it is. */
export const nextTurns = async (store: Store): Promise<string[]> =>
  (await store.limits.nextRuns({ key, ticketedBeforeMs: 0 })).map(({ id }) => id);

export const stateOfRun = async (store: Store, id: string) => (await store.runs.get(id))?.state;

/** Ends a run as its owner would. */
export const finish = async (store: Store, id: string): Promise<void> =>
  endRun(store, { runId: id, epoch: (await store.runs.get(id))?.epoch ?? 0 });
