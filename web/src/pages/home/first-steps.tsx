/** What to do where there is nothing to see yet. */
import { Empty } from '../../parts/notices.tsx';

/** Says what will be here and the one command that fills it: of a new project, else of one that was quiet. */
export function FirstSteps({ hasFlows }: { readonly hasFlows: boolean }) {
  return hasFlows ? (
    <Empty title="No runs in this time range" command="npx batuta runs submit hello">
      Here you see whether anything is wrong, what runs and what comes next. Submit a run, or choose a longer time range.
    </Empty>
  ) : (
    <Empty title="No flow is known yet" command="npx batuta init">
      Make a project with a first flow, then start server, scheduler and worker with <code>npx batuta dev</code>.
    </Empty>
  );
}
