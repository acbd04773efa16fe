/** Deployments with triggers, events for them, and the passes of a scheduler that fire them. */
import pino, { type Logger } from 'pino';
import { type FiredTriggers, fireTriggers } from '../../scheduler/fire-triggers.ts';
import { makeId } from '../../src/base/id.ts';
import { checkTriggers, type TriggerSpec } from '../../src/client/declared-triggers.ts';
import { memoryPlace } from '../../src/engine/results/memory-place.ts';
import { type ResultStorage, resultStorage } from '../../src/engine/results/storage.ts';
import type { Deployment } from '../../src/model/deployment.ts';
import type { Run } from '../../src/model/run.ts';
import type { Trigger, TriggerFiring } from '../../src/model/triggers/trigger.ts';
import { encodeValue } from '../../src/model/values.ts';
import type { NewEvent, Store } from '../../src/store/store.ts';
import { deploymentNamed } from './deployments.ts';

/** Makes a database of PostgreSQL as good as new for tests of triggers. */
export const emptyTriggers = `truncate events, triggers, trigger_causes, trigger_groups, trigger_firings, deployments, deployment_versions, schedules, runs, transitions;
  update end_places set settled = 0, read_to = 0, mark = null, mark_next = null, mark_at = null`;

export interface Scheduler {
  readonly store: Store;
  readonly results: ResultStorage;
  readonly log: Logger;
  readonly makeId: typeof makeId;
  readonly random: () => number;
}

/** What one pass of a scheduler needs, over a store. */
export function schedulerOf(store: Store, results = resultStorage(memoryPlace())): Scheduler {
  return { store, results, log: pino({ level: 'silent' }), makeId, random: () => 0.5 };
}

/** Version 1 of a deployment with triggers. */
export async function putTriggered(
  store: Store,
  name: string,
  on: TriggerSpec | readonly TriggerSpec[],
  changes: Partial<Deployment> = {},
): Promise<void> {
  const deployment = deploymentNamed(name, { flow: name, params: '{"json":{}}', ...changes });
  const triggers = checkTriggers(name, on).map(({ slug, rule }): Trigger => ({ id: makeId(), deployment: name, slug, rule, createdAt: 0 }));
  if (!(await store.deployments.put([{ deployment, schedules: [], triggers, graph: null, spec: {} }])))
    throw new Error(`${name} was not put.`);
}

/** Stores an event. */
export async function emit(store: Store, name: string, payload?: unknown, changes: Partial<NewEvent> = {}): Promise<boolean> {
  const event = {
    id: makeId(),
    name,
    payload: encodeValue(payload, 'payload'),
    source: null,
    at: Date.now(),
    callerRunId: null,
    traceparent: null,
  };
  return (await store.emitted.add({ ...event, ...changes })).inserted;
}

/** Passes until nothing is left to be done; gives the firings. */
export async function fireAll(scheduler: Scheduler): Promise<readonly TriggerFiring[]> {
  const firings: TriggerFiring[] = [];
  for (let fired: FiredTriggers | null = null; fired === null || fired.again; ) {
    fired = await fireTriggers(scheduler);
    firings.push(...fired.firings);
  }
  return firings;
}

/** Runs of a deployment, oldest first. */
export async function runsOf(store: Store, deployment: string): Promise<readonly Run[]> {
  const { items } = await store.runs.list({ deployment, limit: 1_000 });
  return items.toReversed();
}
