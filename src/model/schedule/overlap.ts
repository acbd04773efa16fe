/**
 * What a tick does while runs of its deployment's earlier ticks are unfinished. Pure.
 *
 * Only runs for a tick of any of the deployment's schedules count. Runs started by people or programs, and those of backfills, neither
 * delay a tick nor are cancelled by one.
 */
import type { Overlap } from '../deployment.ts';

/** An unfinished run of an earlier tick. */
export interface OpenTick {
  readonly name: string;
  readonly scheduledFor: number;
  /** Whether it waits for earlier runs itself. */
  readonly held: boolean;
}

export type OverlapVerdict =
  | { readonly kind: 'start' }
  /** Its run waits until earlier ones have ended. */
  | { readonly kind: 'hold'; readonly message: string }
  /** No run results. */
  | { readonly kind: 'drop'; readonly message: string };

/** @param open oldest tick first */
export function overlapOf(policy: Overlap, open: readonly OpenTick[]): OverlapVerdict {
  const [first] = open;
  if (policy === 'allow' || first === undefined) return { kind: 'start' };
  const running = told(open.find(({ held }) => !held) ?? first);
  const waiting = open.find(({ held }) => held);
  switch (policy) {
    case 'skip':
      return { kind: 'drop', message: `The run ${running} had not ended; overlap 'skip' drops the tick.` };
    case 'buffer-one':
      return waiting === undefined
        ? { kind: 'hold', message: `Waits until the run ${running} has ended.` }
        : { kind: 'drop', message: `The run ${told(waiting)} waits already; overlap 'buffer-one' lets no other wait.` };
    case 'buffer-all':
      return { kind: 'hold', message: `Waits until the run ${running} and those after it have ended.` };
    case 'cancel-running':
      return { kind: 'hold', message: `Waits until the run ${running}, whose place it takes, has ended.` };
  }
}

function told({ name, scheduledFor }: OpenTick): string {
  return `${name} of ${new Date(scheduledFor).toISOString()}`;
}
