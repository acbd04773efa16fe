/** What a fleet asks of runs, over a connection. */
import type { Connection } from '../connection.ts';
import { ownersOf, takeUnticketed } from '../leases/leases.ts';
import { claimUnderLimits } from '../limits/run-slots.ts';
import type { FleetStore } from './contract.ts';
import { placeInLine } from './line.ts';
import { hooksUnticketed, owedHooksOf, takeHooks } from './owed-hooks.ts';
import { reclaimRuns } from './reclaim.ts';
import { claimWaiting, insertWaiting, runWork } from './waiting.ts';

export function fleetStore(connection: Connection): FleetStore {
  return {
    insertMany: (rows) => insertWaiting(connection, rows),
    async claimMany(ids, owner, leaseMs, listener) {
      const claimed = new Map(await claimWaiting(connection, ids, owner, leaseMs, listener?.isAlone ?? false));
      // Mostly none; tickets of runs that others have already, and runs under a limit.
      const rest = ids.filter((id) => !claimed.has(id));
      if (rest.length > 0) for (const run of await claimUnderLimits(connection, rest, owner, leaseMs, listener)) claimed.set(run.id, run);
      return claimed;
    },
    reclaim: (options) => reclaimRuns(connection, options),
    owners: () => ownersOf(connection, runWork),
    dueUnticketed: (options) => takeUnticketed(connection, runWork, options),
    placeInLine: (runId) => placeInLine(connection, runId),
    owedHooks: (runId) => owedHooksOf(connection, runId),
    takeHooks: (run) => takeHooks(connection, run),
    hooksUnticketed: ({ ticketedBeforeMs, limit }) => hooksUnticketed(connection, ticketedBeforeMs, limit),
  };
}
