/** What each tab of the run page is handed. */
import type { RunDetail } from './run-data.ts';
import type { TaskRunView } from './task-run-list.ts';

/** The run, its task runs, and which is selected. */
export interface TabProps {
  readonly detail: RunDetail;
  readonly tasks: TaskRunView & { readonly reload: () => void };
  /** Name of the selected task, or id of the task run. */
  readonly selected: string | null;
  readonly onSelect: (task: string | null) => void;
}
