/** Limits on runs and on tasks, over a connection. */
import { clockOf } from '../sql.ts';
import type { Connection } from '../connection.ts';
import type { LimitStore } from './contract.ts';
import { bindToLimit, maySlotBeTaken, nextRunsOfLimits, startUnderLimit, takeSlot } from './run-slots.ts';
import { askSlots, changeSlots, giveSlots, slotsHeld, sweepSlots, taskWaitsOf } from './task-slots.ts';
import { runLimitOf, runLimitsOf, tagLimitsOf, tagLimitViewsOf } from './views.ts';

export function limitStore(connection: Connection): LimitStore {
  return {
    start: (run, owner, leaseMs) => startUnderLimit(connection, run, owner, leaseMs),
    take: (claim) => takeSlot(connection, claim),
    bind: (claim, key) => bindToLimit(connection, claim, key),
    mayTake: (runId) => maySlotBeTaken(connection, runId),
    nextRuns: (options) => nextRunsOfLimits(connection, options),
    runLimit: (name, of) => runLimitOf(connection, name, of),
    runLimits: () => runLimitsOf(connection),
    tagLimits: () => tagLimitsOf(connection),
    setTagLimit: (name, slots) =>
      changeSlots(connection, async (db) => {
        const at = await clockOf(db);
        await db.query(
          `insert into limits (name, slots, updated_at) values ($1, $2, $3)
           on conflict (name) do update set slots = excluded.slots, updated_at = excluded.updated_at`,
          [name, slots, at],
        );
        return [name];
      }),
    async deleteTagLimit(name) {
      let found = false;
      const change = await changeSlots(connection, async ({ query }) => {
        found = (await query('delete from limits where name = $1 returning name', [name])).length > 0;
        return [name];
      });
      return found ? change : null;
    },
    tagLimitViews: () => tagLimitViewsOf(connection),
    askSlots: (ownerId, wishes) => askSlots(connection, ownerId, wishes),
    giveSlots: (holders) => giveSlots(connection, holders),
    slotsHeld: (holders) => slotsHeld(connection, holders),
    sweepSlots: () => sweepSlots(connection),
    taskWaits: (runId) => taskWaitsOf(connection, runId),
  };
}
