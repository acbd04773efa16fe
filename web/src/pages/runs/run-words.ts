/** What a row of the list says about a run beyond its columns. Pure. */
import type { RunEvent, RunRow } from '../../api/wire-types.ts';
import { isTerminal } from '../../../../src/model/state.ts';
import { failureText } from '../../parts/failure-text.ts';

/** Why it waits or what it failed of, as one line; null for a run that is simply well, or whose time has not come. `now` in epoch ms. */
export function whyOf(run: RunRow, now: number): string | null {
  const { type, name, message } = run.state;
  if (type === 'FAILED' || type === 'CRASHED') return failureText(run, run.alike, now);
  if (type === 'COMPLETED' || type === 'RUNNING') return null;
  if (message !== null) return firstLine(message);
  if (name === 'Late') return `Should have begun already; no worker of queue ${run.queue} has taken it yet.`;
  const dueAt = run.dueAt ?? run.scheduledFor ?? run.createdAt;
  return type === 'SCHEDULED' && now - Date.parse(dueAt) > worthAWordMs ? `Waits for a worker of queue ${run.queue}.` : null;
}

/** The row as it is after an event: what the event does not carry stays as it was until the row is asked for. */
export function patchedRow(run: RunRow, { state, at }: RunEvent): RunRow {
  const begins = state.type === 'RUNNING' && run.startedAt === null;
  const startedAt = begins ? at : run.startedAt;
  if (!isTerminal(state.type)) return { ...run, state, startedAt, endedAt: null, durationMs: null };
  const since = run.resumedAt ?? startedAt;
  const durationMs = since === null ? null : (run.executedMs ?? 0) + Math.max(0, Date.parse(at) - Date.parse(since));
  return { ...run, state, startedAt, endedAt: at, durationMs };
}

/** Longest duration in ms of the runs of each flow, against which bars are drawn: a run is compared with its own kind. */
export function longestByFlow(runs: readonly RunRow[]): ReadonlyMap<string, number> {
  const longest = new Map<string, number>();
  for (const { flow, durationMs } of runs) longest.set(flow, Math.max(longest.get(flow) ?? 1, durationMs ?? 0));
  return longest;
}

/** Whoever waits no longer than this is not worth a line. */
const worthAWordMs = 5_000;

function firstLine(text: string | null): string | null {
  const line = text?.split('\n', 1)[0]?.trim() ?? '';
  return line === '' ? null : line;
}
