/** Slots of a worker or a limit: how many are taken. */
import { ShareBar } from '../../parts/bar.tsx';
import style from './slots.module.css';

/** A bar and `3/16`; the bar turns to the colour of Late when all are taken. */
export function Slots({ used, of }: { readonly used: number; readonly of: number }) {
  const share = of === 0 ? (used > 0 ? 1 : 0) : used / of;
  return (
    <span className={style.slots}>
      <ShareBar parts={[{ share: Math.min(1, share), tone: share >= 1 ? 'late' : 'running' }]} width={96} />
      <span className={style.text}>
        {used}/{of}
      </span>
    </span>
  );
}
