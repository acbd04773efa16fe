/** What to do in a store that holds nothing yet. */
import { Empty } from '../../parts/notices.tsx';

/** Says what will be here and the one command that fills it. */
export function FirstSteps() {
  return (
    <Empty title="No runs in this stretch of time" command="npx batuta runs submit hello">
      Here you see whether anything is wrong, what runs and what comes next. Hand in a run, or choose a longer stretch.
    </Empty>
  );
}
