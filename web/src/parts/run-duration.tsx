/** Execution time of a run, the same wherever it is shown: without waits. */
import { runTimes, type TimedRun } from '../../../src/model/run-times.ts';
import { Duration } from './time.tsx';
import style from './time.module.css';

interface RunDurationProps {
  /** Its instants are ISO 8601 text in lists, epoch ms elsewhere. */
  readonly run: { readonly [K in keyof TimedRun]: TimedRun[K] | (K extends 'startedAt' | 'endedAt' | 'resumedAt' ? string : never) };
  /** Whether its waiting time since the start is shown next to it. */
  readonly waiting?: boolean;
}

/** Counts while the run is executed; a dash before its start. */
export function RunDuration({ run, waiting = false }: RunDurationProps) {
  const [startedAt, endedAt, resumedAt] = [msOf(run.startedAt), msOf(run.endedAt), msOf(run.resumedAt)];
  if (startedAt === null) return <Duration />;
  const executedMs = run.executedMs ?? 0;
  if (endedAt === null && (run.state.type === 'RUNNING' || run.state.type === 'CANCELLING'))
    return <Duration since={(resumedAt ?? startedAt) - executedMs} />;
  const times = runTimes({ ...run, startedAt, endedAt, resumedAt }, startedAt + executedMs);
  const { executingMs = 0, waitingMs = 0 } = times ?? {};
  return (
    <>
      <Duration ms={executingMs} />
      {waiting && (endedAt === null || waitingMs >= 1_000) ? (
        <span className={style.waited}>
          and waited {endedAt === null ? <Duration since={startedAt + executingMs} /> : <Duration ms={waitingMs} />}
        </span>
      ) : null}
    </>
  );
}

function msOf(instant: string | number | null): number | null {
  return typeof instant === 'string' ? Date.parse(instant) : instant;
}
