/** Label of a task run. */
import { readableName } from '../../graph/graph-model.ts';
import type { TaskRunRow } from './run-data.ts';

/** Name of a task run for people. */
export function labelOf({ name, displayName, index }: Pick<TaskRunRow, 'name' | 'displayName' | 'index'>): string {
  return displayName ?? (index === null ? readableName(name) : `${readableName(name)} [${index}]`);
}
