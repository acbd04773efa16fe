/** Makes the runs of firings: all at once; if the database refuses one, each by itself. */
import { cutText } from '../../base/cut-text.ts';
import { sourceText, type TriggerFiring } from '../../model/triggers/trigger.ts';
import { isTerminal } from '../../model/state.ts';
import type { Database } from '../connection.ts';
import { storeError } from '../errors.ts';
import { insertWithin } from '../fleet/waiting.ts';
import type { Ticketed } from '../leases/contract.ts';
import type { DueFiring, PlannedFiring } from './contract.ts';

/** Longest reason that is kept, in characters. */
const maxMessageChars = 1_000;

interface Placed {
  readonly firings: readonly TriggerFiring[];
  readonly tickets: readonly Ticketed[];
}

/** @throws BatutaError STORE_… */
export async function placeRuns(db: Database, due: readonly DueFiring[], planned: readonly PlannedFiring[]): Promise<Placed> {
  const pairs = due.flatMap((one, at): Pair[] => {
    const plan = planned[at];
    return plan === undefined ? [] : [{ due: one, plan }];
  });
  if (!((await attempt(db, pairs)) instanceof Error)) return placedOf(pairs);
  const placed: Pair[] = [];
  for (const pair of pairs) {
    const refusal = await attempt(db, [pair]);
    placed.push(refusal instanceof Error ? { ...pair, plan: { outcome: 'failed', run: null, message: refusal.message } } : pair);
  }
  return placedOf(placed);
}

interface Pair {
  readonly due: DueFiring;
  readonly plan: PlannedFiring;
}

/** Undone by itself if refused for what is in the rows; any other error is thrown. */
async function attempt(db: Database, pairs: readonly Pair[]): Promise<Error | null> {
  const rows = pairs.flatMap(({ plan: { run } }) => (run === null ? [] : [{ run, idempotencyKey: null }]));
  if (rows.length === 0) return null;
  await db.query('savepoint fired');
  try {
    await insertWithin(db, rows);
    await db.query('release savepoint fired');
    return null;
  } catch (error) {
    const refusal = storeError(error, db.url);
    if (refusal.code !== 'INTERNAL') throw error;
    await db.query('rollback to savepoint fired');
    return refusal;
  }
}

function placedOf(pairs: readonly Pair[]): Placed {
  const tickets = pairs.flatMap(({ plan: { run } }): Ticketed[] =>
    run === null || isTerminal(run.state.type)
      ? []
      : [{ id: run.id, epoch: 0, queue: run.queue ?? 'default', priority: run.priority ?? 0, dueAt: run.dueAt ?? null }],
  );
  return { firings: pairs.map(firingOf), tickets };
}

function firingOf({ due: { firingId, trigger, causes, count, now }, plan }: Pair): TriggerFiring {
  const last = causes.at(-1);
  return {
    id: firingId,
    triggerId: trigger.id,
    deployment: trigger.deployment,
    slug: trigger.slug,
    at: now,
    outcome: plan.outcome,
    cause: last?.label ?? trigger.rule.sources.map(sourceText).join(' + '),
    causeId: last?.subject ?? '',
    count,
    runId: plan.run?.id ?? null,
    message: plan.message === null ? null : cutText(plan.message, maxMessageChars, '…'),
  };
}
