/** Lasting conditions that rules of alerts check. Each check costs what it finds, or one index over recently ended runs. */
import type { StateType } from '../../model/state.ts';
import type { Connection } from '../connection.ts';
import { readNumbers, readTexts } from '../read-json.ts';
import { clockOf, isNotReported, listed, listOf, Params, runsBy, terminalList } from '../sql.ts';
import type { AlertWatch, WatchedOf, WatchedRun } from './contract.ts';

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
  /** Before the limit, so that other runs do not crowd out meant ones. */
  const meant = ({ flows, deployments, queues, tags }: WatchedOf, params: Params): string => {
    const among = (column: string, names: readonly string[]): string[] =>
      names.length === 0 ? [] : [`and ${column} in ${listed(connection, Number(params.add(listOf(names)).slice(1)))}`];
    const tagged = tags.map(
      (tag) =>
        `and exists (select 1 from run_tags where tag = ${params.add(tag)} and run_tags.created_at = runs.created_at and run_id = runs.id)`,
    );
    return [...among('flow', flows), ...among('deployment', deployments), ...among('queue', queues), ...tagged].join(' ');
  };
  const watched = async (of: WatchedOf, text: (params: Params) => string, order: string): Promise<readonly WatchedRun[]> => {
    const params = new Params();
    const rows = await query<WatchedRow>(`${text(params)} ${meant(of, params)} order by ${order} limit ${mostRuns}`, params.values);
    return rows.map(({ since, tags, ...row }) => ({ ...row, tags: readTexts(tags), sinceAt: since }));
  };
  return {
    now: () => clockOf(connection),
    late: (of) =>
      watched(
        of,
        () => `select ${columns}, coalesce(due_at, scheduled_for, created_at) as since from ${runsBy(connection, 'runs_state')}
         where state_type = 'SCHEDULED' and state_name = 'Late'`,
        'created_at',
      ),
    executingSince: (of, before) =>
      watched(
        of,
        (params) => {
          const at = params.add(before);
          return `select ${columns}, coalesce(resumed_at, started_at) - coalesce(executed_ms, 0) as since from ${runsBy(connection, 'runs_state')}
         where state_type = 'RUNNING' and started_at <= ${at} and coalesce(resumed_at, started_at) - coalesce(executed_ms, 0) <= ${at}
           and ${isNotReported('owner')}`;
        },
        'started_at',
      ),
    missed: (of, since, afterMs) =>
      watched(
        of,
        (params) => `select ${columns}, scheduled_for as since from ${runsBy(connection, 'runs_created')}
         where created_at >= ${params.add(since)} and schedule_id is not null and backfill_id is null
           and created_at > scheduled_for + ${params.add(afterMs)}`,
        'created_at',
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
        metrics: readNumbers(metrics) ?? {},
      }));
    },
  };
}
