/** Open sub-flows, in the order in which a pass looks whether their callers have ended. */
import type { Migration } from './migration.ts';

const openList = `'SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING'`;

export const openSubFlows: Migration = {
  number: 64,
  name: 'open sub-flows',
  statements: () => [
    `create index runs_open_children on runs (parent_run_id, id) where parent_run_id is not null and state_type in (${openList})`,
  ],
};
