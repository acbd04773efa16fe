/** What a fleet asks of runs, over a connection. */
import type { Connection } from './connection.ts';
import type { FleetStore } from './fleet-store.ts';
import { ownersOfRuns, reclaimRuns } from './reclaim.ts';
import { claimWaiting, insertWaiting, takeUnticketed } from './waiting.ts';

export function fleetStore(connection: Connection): FleetStore {
  return {
    insertMany: (rows) => insertWaiting(connection, rows),
    claimMany: (ids, owner, leaseMs) => claimWaiting(connection, ids, owner, leaseMs),
    reclaim: (options) => reclaimRuns(connection, options),
    owners: () => ownersOfRuns(connection),
    dueUnticketed: ({ ticketedBeforeMs, limit }) => takeUnticketed(connection, ticketedBeforeMs, limit),
  };
}
