/** Instants and durations as people read them, always with both clocks on hover. */
import { Tooltip } from '@mantine/core';
import { useNow } from '../now.ts';
import { bothClocks, clockText, dateTimeText, durationText, relativeText, runningText } from './format.ts';
import style from './time.module.css';

interface TimeProps {
  /** ISO 8601 text or epoch ms; a dash is drawn for null. */
  readonly at: string | number | null | undefined;
  /** `relative` within a day, absolute after (default) · `absolute` date and time · `clock` with seconds. */
  readonly as?: 'relative' | 'absolute' | 'clock';
}

/** An instant; hover or focus gives the viewer's zone and UTC. */
export function Time({ at, as = 'relative' }: TimeProps) {
  const now = useNow();
  if (at === null || at === undefined) return <span className={style.none}>–</span>;
  const instant = typeof at === 'number' ? at : Date.parse(at);
  const text = as === 'relative' ? relativeText(instant, now) : as === 'absolute' ? dateTimeText(instant, now) : clockText(instant, true);
  const { local, utc } = bothClocks(instant);
  const label = (
    <>
      {local}
      <br />
      {utc}
    </>
  );
  return (
    <Tooltip label={label} classNames={{ tooltip: style.tip ?? '' }}>
      <time dateTime={new Date(instant).toISOString()} className={style.time}>
        {text}
      </time>
    </Tooltip>
  );
}

interface DurationProps {
  /** Length in ms, where it is known. */
  readonly ms?: number | null;
  /** Else since when it has been going on (ISO 8601 or epoch ms): it counts on each second. */
  readonly since?: string | number | null;
}

/** A duration such as `1 m 12 s`; one that goes on counts each second. */
export function Duration({ ms = null, since = null }: DurationProps) {
  if (ms !== null) return <span className={style.time}>{durationText(ms)}</span>;
  if (since === null) return <span className={style.none}>–</span>;
  return <Running since={typeof since === 'number' ? since : Date.parse(since)} />;
}

function Running({ since }: { readonly since: number }) {
  const now = useNow();
  return <span className={style.time}>{runningText(Math.max(0, now - since))}</span>;
}
