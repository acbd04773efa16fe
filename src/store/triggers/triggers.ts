/** Reads of triggers: what a pass needs, and what people see of them. */
import { sourceText, type TriggerWait } from '../../model/triggers/trigger.ts';
import type { Connection } from '../connection.ts';
import { nowOnce, selectAll } from '../sql.ts';
import { columnsOf } from '../table.ts';
import type { ActiveTrigger, TriggerStore } from './contract.ts';
import { fittingLines } from '../lists/logs.ts';
import { decideTriggers } from './decide.ts';
import { readEnds } from './ends.ts';
import { eventOf, type EventRow, eventTable, firingTable, triggerTable, type TriggerRow } from './tables.ts';

const maxWaits = 100;
/** Most payload bytes in one page of events. */
const pageBytes = 8_000_000;

interface ActiveRow {
  readonly version: number;
  readonly from_event: number;
  readonly from_end: number;
}

interface WaitRow {
  readonly trigger_id: string;
  readonly grp: string;
  readonly first_at: number;
  readonly due_at: number;
  readonly count: number;
}

/** See `TriggerStore`. */
export function triggerStore(connection: Connection): TriggerStore {
  const { query } = connection;
  return {
    outlook: () => outlook(connection),
    async active() {
      const rows = await query<TriggerRow & ActiveRow>(
        `select ${columnsOf(triggerTable)}, from_event, from_end, deployments.version from triggers
         join deployments on deployments.name = triggers.deployment where deployments.paused_at is null order by triggers.deployment, triggers.slug`,
      );
      return rows.map(activeOf);
    },
    all: () => selectAll(connection, triggerTable, 'order by deployment, slug'),
    async pending(limit) {
      const sizes = await query<{ seq: number; bytes: number }>(
        'select seq, coalesce(octet_length(payload), 0) as bytes from events where pending = 1 order by seq limit $1',
        [limit],
      );
      const fitting = fittingLines(sizes, pageBytes);
      const rows = await query<EventRow & { readonly seq: number }>(
        `select ${eventTable.list}, seq from events where pending = 1 and seq between $1 and $2 order by seq limit $3`,
        [sizes[0]?.seq ?? 0, sizes[fitting - 1]?.seq ?? -1, fitting],
      );
      const hasMore = fitting < sizes.length || sizes.length === limit;
      return { events: rows.map((row) => ({ ...eventOf(row), seq: row.seq })), hasMore };
    },
    ends: (reader, wish, changes) => readEnds(connection, reader, wish, changes),
    decide: (step, makeId, plan) => decideTriggers(connection, step, makeId, plan),
    firings: (deployment, limit) =>
      selectAll(connection, firingTable, 'where deployment = $1 order by at desc, id desc limit $2', [deployment, limit]),
    waits: (deployment) => waitsOf(connection, deployment),
  };
}

async function outlook(connection: Connection): ReturnType<TriggerStore['outlook']> {
  const now = nowOnce(connection, 1);
  const [row] = await connection.query<{ triggers: number; pending: number; due: number | null; now: number }>(
    `select (select count(*) from triggers) as triggers, (select count(*) from (select 1 from events where pending = 1 limit 1) as waiting) as pending,
       (select due_at from trigger_groups where exists (
          select 1 from triggers join deployments on deployments.name = triggers.deployment
          where triggers.id = trigger_groups.trigger_id and deployments.paused_at is null)
        order by due_at limit 1) as due, ${now} as now`,
    [connection.now()],
  );
  return {
    triggers: Number(row?.triggers ?? 0),
    hasPending: Number(row?.pending ?? 0) > 0,
    nextDueAt: row?.due ?? null,
    now: row?.now ?? 0,
  };
}

function activeOf(row: TriggerRow & ActiveRow): ActiveTrigger {
  return { ...triggerTable.read(row), deploymentVersion: row.version, fromEvent: row.from_event, fromEnd: row.from_end };
}

/** See `TriggerStore.waits`. */
async function waitsOf(connection: Connection, deployment: string): Promise<readonly TriggerWait[]> {
  const { query } = connection;
  const triggers = await selectAll(connection, triggerTable, 'where deployment = $1', [deployment]);
  const waits: TriggerWait[] = [];
  for (const { id, slug, rule } of triggers) {
    const groups = await query<WaitRow>(
      `select trigger_id, grp, first_at, due_at, count from trigger_groups where trigger_id = $1 order by due_at limit ${maxWaits}`,
      [id],
    );
    for (const group of groups) {
      const seen = await query<{ source: number }>(
        'select distinct source from trigger_causes where trigger_id = $1 and grp = $2 and firing is null',
        [id, group.grp],
      );
      const has = new Set(seen.map(({ source }) => source));
      const named = (wanted: boolean): string[] => rule.sources.flatMap((one, at) => (has.has(at) === wanted ? [sourceText(one)] : []));
      waits.push({
        triggerId: id,
        slug,
        group: group.grp,
        firstAt: group.first_at,
        dueAt: group.due_at,
        count: Number(group.count),
        seen: named(true),
        missing: rule.withinMs === null ? [] : named(false),
      });
    }
  }
  return waits.sort((a, b) => a.dueAt - b.dueAt).slice(0, maxWaits);
}
