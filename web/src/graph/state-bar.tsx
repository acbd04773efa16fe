/** A bar divided by state. */
import { wordsOf } from '../parts/state.ts';
import { toneOf } from '../parts/tone.ts';
import style from './graph-view.module.css';
import { barOf, type StateCounts, totalOf } from './state-counts.ts';

/** The bar; hover shows the counts. */
export function StateBar({ counts }: { readonly counts: StateCounts }) {
  const total = Math.max(1, totalOf(counts));
  const pieces = barOf(counts);
  const told = pieces.map(({ state, count }) => `${count} ${wordsOf(state)}`).join(', ');
  return (
    <span className={style.bar} role="img" aria-label={told === '' ? 'none yet' : told} title={told}>
      {pieces.map(({ state, count }) => (
        <span
          key={state}
          className={style.piece}
          // The part that has not begun is the empty rest of the bar.
          style={{ ...(state === 'Pending' || state === 'Scheduled' ? { background: 'none' } : toneOf(state)), flexGrow: count / total }}
        />
      ))}
    </span>
  );
}
