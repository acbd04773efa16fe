/** Shows since when the page has not been live. Nothing while it is. */
import { useStreamLost } from '../api/live.ts';
import { clockText } from '../parts/format.ts';
import { useNow } from '../now.ts';
import style from './stream-bar.module.css';

/** A stream restored within this time is not mentioned, ms. */
const graceMs = 2_000;

/** A thin bar over the page while the stream of events is lost. */
export function StreamBar() {
  const lostSince = useStreamLost();
  const now = useNow();
  if (lostSince === null || now - lostSince < graceMs) return null;
  return (
    <div className={style.bar} role="status">
      Not live since {clockText(lostSince, true)}: the stream of events is lost. Trying again.
    </div>
  );
}
