/** Runs that are pinned to the version of their flow with which they began. */
import type { Migration } from './migration.ts';

export const runPins: Migration = {
  number: 59,
  name: 'run-pins',
  // A separate table: runs of flows that do not pin pay nothing for it.
  statements: (_dialect, { integer, text }) => [
    `create table run_pins (
      run_id ${text} primary key, flow ${text} not null, version ${text} not null, host_flow ${text} not null, host_version ${text} not null,
      at ${integer} not null
    )`,
    'create index run_pins_version on run_pins (flow, version)',
  ],
};
