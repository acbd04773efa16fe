/** A one-line summary; each figure links to the runs it counts. */
import { Link } from '@tanstack/react-router';
import type { HomeView } from '../../api/wire-types.ts';
import { useNow } from '../../now.ts';
import { countText, percentText, relativeText } from '../../parts/format.ts';
import { StateBadge } from '../../parts/state-badge.tsx';
import type { RunsSearch, Stretch } from '../runs/runs-search.ts';
import style from './summary-line.module.css';

/** Number of runs, successes, failures, running ones, and the next tick. */
export function SummaryLine({ home, stretch }: { readonly home: HomeView; readonly stretch: Stretch }) {
  const now = useNow();
  const ended = home.completed + home.failed;
  const of = (states: readonly string[]): RunsSearch => ({ state: states, last: stretch });
  return (
    <p className={style.line}>
      <Figure to={{ last: stretch }} count={home.runs} word={home.runs === 1 ? 'run' : 'runs'} />
      {ended === 0 ? null : (
        <span>
          <strong>{percentText(home.completed / ended)}</strong> fine
        </span>
      )}
      <Figure to={of(['FAILED', 'CRASHED'])} count={home.failed} word="failed" state="Failed" />
      <Figure to={of(['Late'])} count={home.late} word="late" state="Late" />
      <Figure to={{ state: ['RUNNING'], last: 'all' }} count={home.running} word="running" state="Running" />
      {home.waiting === 0 ? null : (
        <Figure to={{ state: ['SCHEDULED', 'PENDING'], last: 'all' }} count={home.waiting} word="waiting" state="Scheduled" />
      )}
      {home.next === null ? (
        <span>nothing scheduled</span>
      ) : (
        <Link to="/deployments/$name" params={{ name: home.next.deployment }}>
          next {Date.parse(home.next.at) <= now ? 'now' : relativeText(Date.parse(home.next.at), now)}
        </Link>
      )}
    </p>
  );
}

interface FigureProps {
  readonly to: RunsSearch;
  readonly count: number;
  readonly word: string;
  /** State whose shape precedes it if there are any. */
  readonly state?: string;
}

function Figure({ to, count, word, state }: FigureProps) {
  return (
    <Link to="/runs" search={to}>
      {state === undefined || count === 0 ? null : (
        <>
          <StateBadge name={state} bare />{' '}
        </>
      )}
      <strong>{countText(count)}</strong> {word}
    </Link>
  );
}
