/** The progress a task reports. */
import { ShareBar } from '../../parts/bar.tsx';
import { type Progress, progressWords, shareOf, wholePercentText } from '../../parts/progress.ts';
import style from './task-progress.module.css';

/** A bar with percent if there is a total, and the figures. */
export function TaskProgress({ progress }: { readonly progress: Progress }) {
  const share = shareOf(progress);
  const words = progressWords(progress);
  return (
    <span className={style.progress}>
      {share === null ? null : (
        <>
          <ShareBar parts={[{ share, tone: 'running' }]} label={`Progress: ${words}`} />
          <span className={style.percent}>{wholePercentText(share)}</span>
        </>
      )}
      <span className={style.words}>{words}</span>
    </span>
  );
}
