/** Instants and durations for people, always with both clocks on hover. */
import { Tooltip } from '@mantine/core';
import { useState } from 'react';
import { useNow, useNowFrom } from '../now.ts';
import { bothClocks, clockText, dateTimeText, durationText, relativeText, runningText } from './format.ts';
import style from './time.module.css';

interface TimeProps {
  /** ISO 8601 text or epoch ms; a dash is drawn for null. */
  readonly at: string | number | null | undefined;
  /** `relative` within a day, absolute after (default) · `absolute` date and time · `exact` with seconds · `clock` with seconds, without date. */
  readonly as?: 'relative' | 'absolute' | 'exact' | 'clock';
}

/** An instant; hovering shows the viewer's zone and UTC. */
export function Time({ at, as = 'relative' }: TimeProps) {
  if (at === null || at === undefined) return <span className={style.none}>–</span>;
  return <Instant at={typeof at === 'number' ? at : Date.parse(at)} as={as} />;
}

function Instant({ at, as }: { readonly at: number; readonly as: NonNullable<TimeProps['as']> }) {
  const now = useNowFrom(at);
  // Lists draw hundreds of these: the tooltip is created only on hover.
  const [isPointed, setPointed] = useState(false);
  const text = texts[as](at, now);
  const time = <time dateTime={new Date(at).toISOString()}>{text}</time>;
  return (
    <span className={style.time} onPointerEnter={() => setPointed(true)} onPointerLeave={() => setPointed(false)}>
      {isPointed ? (
        <Tooltip opened label={<BothClocks at={at} />} classNames={{ tooltip: style.tip ?? '' }}>
          {time}
        </Tooltip>
      ) : (
        time
      )}
    </span>
  );
}

const texts: Readonly<Record<NonNullable<TimeProps['as']>, (at: number, now: number) => string>> = {
  relative: relativeText,
  absolute: dateTimeText,
  exact: (at, now) => dateTimeText(at, now, true),
  clock: (at) => clockText(at, true),
};

function BothClocks({ at }: { readonly at: number }) {
  const { local, utc } = bothClocks(at);
  return (
    <>
      {local}
      <br />
      {utc}
    </>
  );
}

interface DurationProps {
  /** Length in ms, if known. */
  readonly ms?: number | null;
  /** Else its start (ISO 8601 or epoch ms): it counts up each second. */
  readonly since?: string | number | null;
}

/** A duration such as `1 m 12 s`; a running one counts up each second. */
export function Duration({ ms = null, since = null }: DurationProps) {
  if (ms !== null) return <span className={style.time}>{durationText(ms)}</span>;
  if (since === null) return <span className={style.none}>–</span>;
  return <Running since={typeof since === 'number' ? since : Date.parse(since)} />;
}

function Running({ since }: { readonly since: number }) {
  const now = useNow();
  return <span className={style.time}>{runningText(Math.max(0, now - since))}</span>;
}
