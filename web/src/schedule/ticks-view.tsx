/** The next ticks of a schedule: ten in a list with the effects of clock changes, and a month as a calendar. */
import { ActionIcon } from '@mantine/core';
import { useState } from 'react';
import { monthNames } from '../parts/format.ts';
import { useNow } from '../now.ts';
import { Icon } from '../parts/icon.tsx';
import { Time } from '../parts/time.tsx';
import { monthOf } from './month.ts';
import { markTicks } from './tick-marks.ts';
import style from './ticks-view.module.css';

/** Ticks in the list. */
const listed = 10;

interface TicksViewProps {
  /** Oldest first, UTC epoch ms. */
  readonly ticks: readonly number[];
  readonly zone: string;
  readonly warnings: readonly string[];
}

/** List and calendar side by side. Times are in the schedule's zone; hovering shows the viewer's and UTC. */
export function TicksView({ ticks, zone, warnings }: TicksViewProps) {
  if (ticks.length === 0) return <p className={style.soft}>It ticks no more.</p>;
  const marked = markTicks(ticks.slice(0, listed + 1), zone).slice(0, listed);
  const dates = new Intl.DateTimeFormat('en-GB', { timeZone: zone, weekday: 'short', day: 'numeric', month: 'short' });
  return (
    <div className={style.view}>
      <div className={style.column}>
        <p className={style.soft}>Times of {zone}, beside them those of this browser</p>
        <ol className={style.list}>
          {marked.map(({ at, wall, mark }) => (
            <li key={at} data-marked={mark !== null || undefined}>
              <span className={style.date}>{dates.format(at)}</span>
              <strong>{wall}</strong>
              <span className={style.soft}>
                <Time at={at} />
              </span>
              {mark === null ? null : <span className={style.mark}>△ {mark}</span>}
            </li>
          ))}
        </ol>
        {warnings.map((warning) => (
          <p key={warning} className={style.warning}>
            △ {warning}
          </p>
        ))}
      </div>
      <Calendar ticks={ticks} zone={zone} />
    </div>
  );
}

function Calendar({ ticks, zone }: { readonly ticks: readonly number[]; readonly zone: string }) {
  const now = useNow(60_000);
  const [ahead, setAhead] = useState(0);
  const today = new Date(now);
  const shown = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + ahead, 1));
  const [year, month] = [shown.getUTCFullYear(), shown.getUTCMonth() + 1];
  const weeks = monthOf(year, month, ticks, zone);
  const last = ticks.at(-1) ?? now;
  return (
    <div className={style.calendar}>
      <div className={style.head}>
        <ActionIcon aria-label="Month before" disabled={ahead === 0} onClick={() => setAhead(ahead - 1)} className={style.back ?? ''}>
          <Icon name="chevron" />
        </ActionIcon>
        <span aria-live="polite">{`${monthNames[month - 1]} ${year}`}</span>
        <ActionIcon aria-label="Month after" disabled={ahead >= 12} onClick={() => setAhead(ahead + 1)} className={style.on ?? ''}>
          <Icon name="chevron" />
        </ActionIcon>
      </div>
      <table>
        <thead>
          <tr>
            {['Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su'].map((day) => (
              <th key={day}>{day}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeks.map((week) => (
            <tr key={week[0]?.date}>
              {week.map(({ date, day, inMonth, ticks: of }) => (
                <td
                  key={date}
                  data-ticks={of.length > 0 || undefined}
                  data-outside={!inMonth || undefined}
                  title={of.length === 0 ? undefined : `${date}: ${of.length === 1 ? '1 tick' : `${of.length} ticks`}`}
                >
                  {day}
                  {of.length > 1 ? <sup>{of.length}</sup> : null}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {Date.UTC(year, month, 1) > last ? (
        <p className={style.soft}>{`Counted up to ${new Date(last).toISOString().slice(0, 10)}.`}</p>
      ) : null}
    </div>
  );
}
