/** What rules of alerts look at that holds for a while. Each look costs what is found, or one index over what has ended lately. */
import type { StateType } from '../../model/state.ts';
import type { Connection } from '../connection.ts';
import { readFields, readTexts } from '../read-json.ts';
import { clockOf, isNotReported, listed, listOf, runsBy, terminalList } from '../sql.ts';
import type { AlertWatch, WatchedRun } from './contract.ts';

const mostRuns = 1_000;

interface WatchedRow {
  readonly id: string;
  readonly name: string;
  readonly flow: string;
  readonly deployment: string | null;
  readonly tags: string;
  readonly queue: string;
  readonly since: number;
}

const columns = 'id, name, flow, deployment, tags, queue';

/** See `AlertWatch`. */
export function alertWatch(connection: Connection): AlertWatch {
  const { query } = connection;
  const watched = async (text: string, params: readonly (string | number | null)[] = []): Promise<readonly WatchedRun[]> =>
    (await query<WatchedRow>(text, params)).map(({ since, tags, ...row }) => ({ ...row, tags: readTexts(tags), sinceAt: since }));
  return {
    now: () => clockOf(connection),
    late: () =>
      watched(
        `select ${columns}, coalesce(due_at, scheduled_for, created_at) as since from ${runsBy(connection, 'runs_state')}
         where state_type = 'SCHEDULED' and state_name = 'Late' order by created_at limit ${mostRuns}`,
      ),
    executingSince: (before) =>
      watched(
        `select ${columns}, coalesce(resumed_at, started_at) - coalesce(executed_ms, 0) as since from ${runsBy(connection, 'runs_state')}
         where state_type = 'RUNNING' and started_at <= $1 and coalesce(resumed_at, started_at) - coalesce(executed_ms, 0) <= $1
           and ${isNotReported('owner')} order by started_at limit ${mostRuns}`,
        [before],
      ),
    missed: (since, afterMs) =>
      watched(
        `select ${columns}, scheduled_for as since from ${runsBy(connection, 'runs_created')}
         where created_at >= $1 and schedule_id is not null and backfill_id is null and created_at > scheduled_for + $2
         order by created_at limit ${mostRuns}`,
        [since, afterMs],
      ),
    async ended(since) {
      const rows = await query<{ flow: string; deployment: string | null; tags: string; type: StateType; runs: number }>(
        `select flow, deployment, tags, state_type as type, count(*) as runs from ${runsBy(connection, 'runs_ended')}
         where ended_at is not null and ended_at >= $1 and (state_type || '') in (${terminalList}) and state_name <> 'Skipped' and ${isNotReported('owner')}
         group by flow, deployment, tags, state_type`,
        [since],
      );
      return rows.map(({ runs, tags, ...row }) => ({ ...row, tags: readTexts(tags), runs: Number(runs) }));
    },
    async durations(runIds) {
      if (runIds.length === 0) return new Map();
      const rows = await query<{ id: string; ms: number }>(
        `select id, coalesce(executed_ms, 0) + ended_at - coalesce(resumed_at, started_at) as ms from runs
         where id in ${listed(connection, 1)} and ended_at is not null and started_at is not null`,
        [listOf(runIds)],
      );
      return new Map(rows.map(({ id, ms }) => [id, Math.max(0, Number(ms))]));
    },
    async metrics(runIds) {
      if (runIds.length === 0) return [];
      const rows = await query<{ run_id: string; name: string; metrics: string }>(
        `select run_id, name, metrics from task_runs where run_id in ${listed(connection, 1)} and metrics is not null`,
        [listOf(runIds)],
      );
      return rows.map(({ run_id: runId, name, metrics }) => ({
        runId,
        task: name,
        metrics: readFields<Record<string, number>>(metrics) ?? {},
      }));
    },
  };
}
