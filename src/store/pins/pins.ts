/** Pins of runs to versions of their flows. */
import type { RunPin } from '../../model/pin.ts';
import type { Connection } from '../connection.ts';
import { hasOwner, ownerTextOf } from '../ownership.ts';
import { forUpdate, listed, listOf, openList, runsBy } from '../sql.ts';
import type { PinnedRuns, PinStore, RunsUnderWay } from './contract.ts';
import { freeParkedBy, park, parkedWork, unpark, unparkVoid } from './parked.ts';

interface PinRow {
  readonly run_id: string;
  readonly flow: string;
  readonly version: string;
  readonly host_flow: string;
  readonly host_version: string;
  readonly at: number;
}

const columns = 'run_pins.run_id, run_pins.flow, run_pins.version, run_pins.host_flow, run_pins.host_version, run_pins.at';
/** A pin means nothing before its run has begun: its intended owner may be lost, and another begins it with the version it has. */
const begun = 'runs.started_at is not null';
const underWay = `runs.state_type in (${openList}) and ${begun}`;

/** See `PinStore`. */
export function pinStore(connection: Connection): PinStore {
  const { query } = connection;
  const ofRuns: PinStore['ofRuns'] = async (runIds) => {
    if (runIds.length === 0) return new Map();
    const rows = await query<PinRow>(
      `select ${columns} from run_pins join runs on runs.id = run_pins.run_id where run_pins.run_id in ${listed(connection, 1)} and ${begun}`,
      [listOf(runIds)],
    );
    return new Map(rows.map((row) => [row.run_id, pinOf(row)]));
  };
  return {
    ofRuns,
    async pin(claim, { flow, version }, host, at) {
      // Locked, so that an owner lost meanwhile cannot overwrite what the next one has written.
      await query(
        `insert into run_pins (run_id, flow, version, host_flow, host_version, at)
         select id, cast($4 as text), cast($5 as text), cast($6 as text), cast($7 as text), cast($8 as bigint) from runs
         where id = $1 and epoch = $2 and ${hasOwner('$3')} and started_at is null ${forUpdate(connection)}
         on conflict (run_id) do update set flow = excluded.flow, version = excluded.version,
           host_flow = excluded.host_flow, host_version = excluded.host_version, at = excluded.at`,
        [claim.runId, claim.epoch, ownerTextOf(claim), flow, version, host.flow, host.version, at],
      );
    },
    get: async (runId) => (await ofRuns([runId])).get(runId) ?? null,
    async ofFamily(runId) {
      const rows = await query<PinRow>(
        `select ${columns} from runs join run_pins on run_pins.run_id = runs.id where runs.id = $1 and ${underWay}
         union all
         select ${columns} from runs join run_pins on run_pins.run_id = runs.id where runs.parent_run_id = $2 and ${underWay}`,
        [runId, runId],
      );
      return rows.map(pinOf);
    },
    unpin: (runId) =>
      connection.transaction(async (db) => {
        const [row] = await db.query<PinRow>(`delete from run_pins where run_id = $1 returning ${columns}`, [runId]);
        if (row === undefined) return null;
        await freeParkedBy(db, runId);
        return pinOf(row);
      }),
    park: (work, which, pin) => park(connection, work, which, pin),
    parked: () => parkedWork(connection),
    unpark: (parked, limit) => unpark(connection, parked, limit),
    unparkVoid: (limit) => unparkVoid(connection, limit),
    async underWay() {
      const rows = await query<PinRow & { readonly runs: number; readonly oldest: string }>(
        `select run_pins.flow, run_pins.version, run_pins.host_flow, run_pins.host_version, count(*) as runs, min(runs.id) as oldest
         from run_pins join runs on runs.id = run_pins.run_id where ${underWay}
         group by run_pins.flow, run_pins.version, run_pins.host_flow, run_pins.host_version order by run_pins.flow, run_pins.version`,
      );
      return rows.map((row): PinnedRuns => ({ ...versionsOf(row), runs: row.runs, runId: row.oldest }));
    },
    async byVersion(flows) {
      if (flows.length === 0) return [];
      const rows = await query<Omit<RunsUnderWay, 'isPinned'> & { readonly pinned: number }>(
        `select runs.flow, runs.flow_version as version, runs.state_type as type, runs.state_name as name,
           case when run_pins.run_id is null then 0 else 1 end as pinned, count(*) as runs
         from ${runsBy(connection, 'runs_state')} left join run_pins on run_pins.run_id = runs.id
         where ${underWay} and runs.flow in ${listed(connection, 1)}
         group by runs.flow, runs.flow_version, runs.state_type, runs.state_name, pinned order by runs.flow, runs.flow_version, runs.state_type`,
        [listOf(flows)],
      );
      return rows.map(({ pinned, ...row }) => ({ ...row, isPinned: pinned === 1 }));
    },
  };
}

function pinOf(row: PinRow): RunPin {
  return { runId: row.run_id, ...versionsOf(row), at: row.at };
}

function versionsOf({ flow, version, host_flow, host_version }: PinRow): Pick<RunPin, 'flow' | 'version' | 'host'> {
  return { flow, version, host: { flow: host_flow, version: host_version } };
}
