/** The table of metrics: name, kind, help text and labels of each. Pure. */

/** One row of the table. */
export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** For a histogram: upper bounds, ascending. */
  readonly buckets?: readonly number[];
  readonly from: MetricSource;
}

/** Which processes have a metric. `fleet`: read from the database, by servers and schedulers · `postgres`: those connected to one. */
export type MetricSource = 'worker' | 'scheduler' | 'server' | 'every' | 'fleet' | 'postgres';

/** Each bound a multiple of the previous one. */
function exponential(first: number, factor: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => Number((first * factor ** at).toPrecision(4)));
}

/** Seconds, 5 ms to 8 hours, each 2.5 times the previous one. */
export const durationBuckets = exponential(0.005, 2.5, 18);
/** Seconds, 0.5 ms to 8 s. */
const flushBuckets = exponential(0.0005, 2, 15);

/** The metrics by name, in the order of the reference. */
export const catalog = {
  batuta_build_info: row('gauge', 'every', 'Always 1; its labels say what runs.', ['version', 'node']),
  batuta_runs_started_total: row('counter', 'worker', 'Runs whose code began, attempts of one run counted each.', ['flow']),
  batuta_runs_total: row('counter', 'worker', 'Runs that ended, by the name of their state.', ['flow', 'state']),
  batuta_run_duration_seconds: row(
    'histogram',
    'worker',
    'How long ended runs were executed, waits left out.',
    ['flow', 'state'],
    durationBuckets,
  ),
  batuta_run_retries_total: row('counter', 'worker', 'Attempts of runs that failed and are followed by another.', ['flow']),
  batuta_runs_recovered_total: row('counter', 'worker', 'Runs continued here after another process was lost or handed them back.', [
    'flow',
  ]),
  batuta_task_runs_total: row('counter', 'worker', 'Task runs that ended, by the name of their state.', ['flow', 'task', 'state']),
  batuta_task_duration_seconds: row(
    'histogram',
    'worker',
    'How long ended task runs took from their first start.',
    ['flow', 'task'],
    durationBuckets,
  ),
  batuta_task_retries_total: row('counter', 'worker', 'Attempts of tasks that failed and are followed by another.', ['flow', 'task']),
  batuta_worker_places: row('gauge', 'worker', 'Places of the worker for runs; as many again are for spread tasks.', []),
  batuta_worker_places_used: row('gauge', 'worker', 'Places of the worker that runs and spread tasks take; a heavy one takes several.', []),
  batuta_cache_requests_total: row('counter', 'worker', 'What the cache answered: hit, miss, or wait for another that makes the value.', [
    'outcome',
  ]),
  batuta_recorder_flushes_total: row('counter', 'every', 'Transactions of the recorder, by whether they were written.', ['outcome']),
  batuta_recorder_flush_duration_seconds: row('histogram', 'every', 'How long transactions of the recorder take.', [], flushBuckets),
  batuta_recorder_flush_rows: row('histogram', 'every', 'Rows of one transaction of the recorder.', [], exponential(1, 2, 14)),
  batuta_recorder_written_bytes_total: row(
    'counter',
    'every',
    'About how much text the recorder has written: values, messages, log lines.',
    [],
  ),
  batuta_leases_reclaimed_total: row('counter', 'every', 'Runs and spread tasks of lost owners that were taken back, by outcome.', [
    'work',
    'outcome',
  ]),
  batuta_tickets_reissued_total: row('counter', 'every', 'Tickets that were lost, or never put, and were put again.', ['work']),
  batuta_ticks_total: row('counter', 'scheduler', 'Ticks of schedules that were decided about.', ['outcome']),
  batuta_ticks_missed_total: row('counter', 'scheduler', 'Ticks that passed while no scheduler was at work.', []),
  batuta_schedule_lag_seconds: row('gauge', 'scheduler', 'Age of the oldest tick that is due and has no run yet.', []),
  batuta_runs_late_total: row('counter', 'scheduler', 'Runs that no worker had taken long after they were due.', []),
  batuta_database_connections: row('gauge', 'postgres', 'Connections of the process to PostgreSQL.', ['state']),
  batuta_database_connections_max: row('gauge', 'postgres', 'Most connections of the process to PostgreSQL.', []),
  batuta_database_waiting: row('gauge', 'postgres', 'Statements that wait for a connection to PostgreSQL.', []),
  batuta_broker_up: row('gauge', 'every', 'Whether what carries tickets answers.', ['kind']),
  batuta_broker_latency_seconds: row('gauge', 'every', 'Time of one round trip to what carries tickets.', ['kind']),
  batuta_live_connections: row('gauge', 'server', 'Open streams of live events.', []),
  batuta_runs_open: row('gauge', 'fleet', 'Runs that have not ended, by the name of their state.', ['state']),
  batuta_queue_depth: row('gauge', 'fleet', 'Runs that are due and wait for a worker.', ['queue']),
  batuta_queue_delayed: row('gauge', 'fleet', 'Runs that wait for their instant.', ['queue']),
  batuta_queue_running: row('gauge', 'fleet', 'Runs of the queue that are executed.', ['queue']),
  batuta_queue_oldest_age_seconds: row('gauge', 'fleet', 'How long the longest waiting run of the queue has been due; 0 when none waits.', [
    'queue',
  ]),
  batuta_queue_workers: row('gauge', 'fleet', 'Living workers that serve the queue.', ['queue']),
  batuta_workers: row('gauge', 'fleet', 'Workers, by whether they gave a sign of life within a lease.', ['state']),
  batuta_limit_slots: row('gauge', 'fleet', 'Slots of a limit.', ['limit']),
  batuta_limit_slots_used: row('gauge', 'fleet', 'Slots of a limit that are held.', ['limit']),
  batuta_limit_waiting: row('gauge', 'fleet', 'Runs or tasks that wait for a slot of a limit.', ['limit']),
  batuta_rate_starts: row('gauge', 'fleet', 'Starts that a rate allows in its window.', ['rate']),
  batuta_rate_starts_used: row('gauge', 'fleet', 'Starts of a rate in the window that ends now.', ['rate']),
  batuta_rate_waiting: row('gauge', 'fleet', 'Runs or tasks that wait for a rate.', ['rate']),
  batuta_cache_entries: row('gauge', 'fleet', 'Values in the cache.', []),
  batuta_cache_size_bytes: row('gauge', 'fleet', 'Size of the values in the cache.', []),
  batuta_alerts_firing: row('gauge', 'fleet', 'Alerts of a rule that fire.', ['rule']),
  batuta_alert_deliveries_pending: row('gauge', 'fleet', 'Deliveries of alerts that no receiver has taken yet.', []),
  batuta_alert_deliveries_oldest_age_seconds: row('gauge', 'fleet', 'How long the oldest of these has waited; 0 when none waits.', []),
  batuta_fleet_figures_age_seconds: row('gauge', 'fleet', 'How old the figures are that were read from the database.', []),
} as const satisfies Readonly<Record<string, MetricRow>>;

/** Name of a metric of Batuta. */
export type MetricName = keyof typeof catalog;

function row(type: MetricRow['type'], from: MetricSource, help: string, labels: readonly string[], buckets?: readonly number[]): MetricRow {
  return { type, from, help, labels, ...(buckets ? { buckets } : {}) };
}
