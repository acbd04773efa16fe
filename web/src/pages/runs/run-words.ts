/** Texts of a list row beyond its columns. Pure. */
import type { RunEvent, RunRow } from '../../api/wire-types.ts';
import { isTerminal } from '../../../../src/model/state.ts';
import { failureText } from '../../parts/failure-text.ts';

/** Why it waits or failed, on one line; null for a healthy run, or one not due yet. `now` in epoch ms. */
export function whyOf(run: RunRow, now: number): string | null {
  const { type, name, message } = run.state;
  if (type === 'FAILED' || type === 'CRASHED') return failureText(run, run.alike, now);
  if (type === 'COMPLETED' || type === 'RUNNING') return null;
  if (message !== null) return firstLine(message);
  if (name === 'Late') return `Should have begun already; no worker of queue ${run.queue} has taken it yet.`;
  const dueAt = run.dueAt ?? run.scheduledFor ?? run.createdAt;
  return type === 'SCHEDULED' && now - Date.parse(dueAt) > worthAWordMs ? `Waits for a worker of queue ${run.queue}.` : null;
}

/** The row after an event: fields the event does not carry stay unchanged until the row is fetched. */
export function patchedRow(run: RunRow, { state, at }: RunEvent): RunRow {
  const begins = state.type === 'RUNNING' && run.startedAt === null;
  const startedAt = begins ? at : run.startedAt;
  if (!isTerminal(state.type)) return { ...run, state, startedAt, endedAt: null, durationMs: null };
  const since = run.resumedAt ?? startedAt;
  const durationMs = since === null ? null : (run.executedMs ?? 0) + Math.max(0, Date.parse(at) - Date.parse(since));
  return { ...run, state, startedAt, endedAt: at, durationMs };
}

/** Longest duration per flow, ms, as the scale of bars: a run is compared with others of its flow. */
export function longestByFlow(runs: readonly RunRow[]): ReadonlyMap<string, number> {
  const longest = new Map<string, number>();
  for (const { flow, durationMs } of runs) longest.set(flow, Math.max(longest.get(flow) ?? 1, durationMs ?? 0));
  return longest;
}

/** A shorter wait is not worth a line, ms. */
const worthAWordMs = 5_000;

function firstLine(text: string | null): string | null {
  const line = text?.split('\n', 1)[0]?.trim() ?? '';
  return line === '' ? null : line;
}
