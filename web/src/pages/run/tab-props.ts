/** Props of each tab of the run page. */
import type { UseQueryResult } from '@tanstack/react-query';
import type { RunDetail, TaskGroups } from './run-data.ts';
import type { TaskRunView } from './task-run-list.ts';

/** The run, its task runs, and which is selected. */
export interface TabProps {
  readonly detail: RunDetail;
  readonly tasks: TaskRunView & { readonly reload: () => void };
  /** Task runs counted by task, if there are too many for the tab to hold; else null. */
  readonly groups: UseQueryResult<TaskGroups> | null;
  /** Name of the selected task, or id of the task run. */
  readonly selected: string | null;
  readonly onSelect: (task: string | null) => void;
}
