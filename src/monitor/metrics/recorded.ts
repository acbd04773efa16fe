/** Counts what the bus of a process reports: only what was recorded. */
import { isTerminal } from '../../model/state.ts';
import type { Lifecycle, LifecycleEvent } from '../../observe/lifecycle.ts';
import type { Occurrence } from '../../observe/occurrence.ts';
import type { FlushReport, Recorder } from '../../store/store.ts';
import type { MetricRegistry } from './registry.ts';

/** Counts from now on. Returns a function that stops it. */
export function countRecorded(
  registry: MetricRegistry,
  { lifecycle, recorder }: { readonly lifecycle: Lifecycle; readonly recorder: Recorder },
): () => void {
  const ends = [
    lifecycle.listenRecorded((steps) => countSteps(registry, steps)),
    lifecycle.observe((occurrence) => countOccurrence(registry, occurrence)),
    recorder.onFlush((report) => countFlush(registry, report)),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** The count of consecutive task runs that end alike is written once. */
function countSteps(registry: MetricRegistry, steps: readonly LifecycleEvent[]): void {
  let alike: LifecycleEvent | null = null;
  let count = 0;
  const write = (): void => {
    if (alike !== null) registry.add('batuta_task_runs_total', count, alike.flow, alike.task ?? '', alike.state.name);
  };
  for (const one of steps) {
    const { flow, task, step, state, executingMs } = one;
    if (task === null) countStepOfRun(registry, one);
    else if (step === 'retried') registry.add('batuta_task_retries_total', 1, flow, task);
    else if (step === 'ended') {
      if (executingMs !== null) registry.observe('batuta_task_duration_seconds', executingMs / 1_000, flow, task);
      if (alike?.task === task && alike.flow === flow && alike.state.name === state.name) count++;
      else {
        write();
        alike = one;
        count = 1;
      }
    }
  }
  write();
}

function countStepOfRun(registry: MetricRegistry, { step, flow, state, executingMs }: LifecycleEvent): void {
  if (step === 'started') registry.add('batuta_runs_started_total', 1, flow);
  else if (step === 'retried') registry.add('batuta_run_retries_total', 1, flow);
  else if (step === 'recovered') registry.add('batuta_runs_recovered_total', 1, flow);
  else countEndOfRun(registry, flow, state.name, executingMs);
}

function countEndOfRun(registry: MetricRegistry, flow: string, state: string, executingMs: number | null): void {
  registry.add('batuta_runs_total', 1, flow, state);
  if (executingMs !== null) registry.observe('batuta_run_duration_seconds', executingMs / 1_000, flow, state);
}

function countOccurrence(registry: MetricRegistry, occurrence: Occurrence): void {
  switch (occurrence.kind) {
    case 'reclaimed':
      registry.add('batuta_leases_reclaimed_total', occurrence.waiting, occurrence.work, 'waiting');
      return registry.add('batuta_leases_reclaimed_total', occurrence.ended, occurrence.work, 'ended');
    case 'ended':
      // A run reclaimed in the middle of a rollback continues.
      return isTerminal(occurrence.state.type) ? countEndOfRun(registry, occurrence.flow, occurrence.state.name, null) : undefined;
    case 'reissued':
      return registry.add('batuta_tickets_reissued_total', occurrence.tickets, occurrence.work);
    case 'ticks':
      registry.add('batuta_ticks_total', occurrence.made, 'made');
      registry.add('batuta_ticks_total', occurrence.held, 'held');
      registry.add('batuta_ticks_total', occurrence.dropped, 'dropped');
      return registry.add('batuta_ticks_missed_total', occurrence.missed);
    case 'scheduleLag':
      return registry.set('batuta_schedule_lag_seconds', occurrence.ms / 1_000);
    case 'late':
      return registry.add('batuta_runs_late_total', occurrence.runs);
    case 'cache':
      return registry.add('batuta_cache_requests_total', 1, occurrence.outcome);
    case 'claimed':
    case 'resource':
      // For traces.
      return undefined;
    case 'measured':
      return registry.measure(occurrence.measure);
  }
}

function countFlush(registry: MetricRegistry, { ok, ms, rows, bytes }: FlushReport): void {
  registry.add('batuta_recorder_flushes_total', 1, ok ? 'written' : 'failed');
  registry.observe('batuta_recorder_flush_duration_seconds', ms / 1_000);
  if (!ok) return;
  registry.observe('batuta_recorder_flush_rows', rows);
  registry.add('batuta_recorder_written_bytes_total', bytes);
}
