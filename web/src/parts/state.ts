/** Look of states: a tone and a shape each, so that they are readable without colour. */
import type { StateName, StateType } from '../../../src/model/state.ts';

/** Colour of a state; the token is `--state-<tone>`. */
export type Tone = 'completed' | 'running' | 'failed' | 'crashed' | 'cancelled' | 'scheduled' | 'late' | 'suspended' | 'pending';
/** Shape of a state, drawn by state-badge.tsx. */
export type Shape = 'check' | 'dot' | 'cross' | 'broken' | 'slash' | 'clock' | 'triangle' | 'pause' | 'ring';

interface Look {
  readonly tone: Tone;
  readonly shape: Shape;
}

const shapes: Readonly<Record<Tone, Shape>> = {
  completed: 'check',
  running: 'dot',
  failed: 'cross',
  crashed: 'broken',
  cancelled: 'slash',
  scheduled: 'clock',
  late: 'triangle',
  suspended: 'pause',
  pending: 'ring',
};

const tones: Readonly<Record<StateName, Tone>> = {
  Scheduled: 'scheduled',
  Late: 'late',
  AwaitingRetry: 'scheduled',
  AwaitingSlot: 'scheduled',
  Resuming: 'scheduled',
  Pending: 'pending',
  Running: 'running',
  Retrying: 'running',
  Suspended: 'suspended',
  Cancelling: 'cancelled',
  Completed: 'completed',
  Cached: 'completed',
  RolledBack: 'cancelled',
  Skipped: 'cancelled',
  Failed: 'failed',
  TimedOut: 'failed',
  UpstreamFailed: 'failed',
  Crashed: 'crashed',
  Cancelled: 'cancelled',
  Expired: 'cancelled',
};

/** Tone per type, as in bars over time: failures are on the baseline, where they are easiest to compare. */
export const toneOfType: Readonly<Record<StateType, Tone>> = {
  FAILED: 'failed',
  CRASHED: 'crashed',
  CANCELLED: 'cancelled',
  CANCELLING: 'cancelled',
  COMPLETED: 'completed',
  RUNNING: 'running',
  PAUSED: 'suspended',
  PENDING: 'pending',
  SCHEDULED: 'scheduled',
};

/** Look of a state by its readable name. An unknown name is drawn as pending. */
export function lookOf(name: string): Look {
  const tone = tones[name as StateName] ?? 'pending';
  return { tone, shape: shapes[tone] };
}

const words: Readonly<Record<string, string>> = {
  AwaitingRetry: 'Awaiting retry',
  AwaitingSlot: 'Awaiting slot',
  RolledBack: 'Rolled back',
  TimedOut: 'Timed out',
  UpstreamFailed: 'Upstream failed',
};

/** The name of a state within a sentence. */
export function wordsOf(name: string): string {
  return words[name] ?? name;
}
