/** The filters shared by lists and changes of runs. */
import type { Command } from 'commander';
import type { RunFilter } from '../store/store.ts';
import { collect } from './declare.ts';
import { given, readSince, readStates } from './read-options.ts';

export interface FilterOptions {
  readonly flow?: string;
  readonly state: readonly string[];
  readonly deployment?: string;
  readonly tag?: string;
  readonly queue?: string;
  readonly since?: string;
  readonly until?: string;
  readonly search?: string;
  readonly backfill?: string;
  readonly pinned?: string | true;
}

/** Adds the options to a command. */
export function declareRunFilters(command: Command): Command {
  return command
    .option('--flow <name>', 'of this flow')
    .option('--state <state>', 'in this state, e.g. failed; may be repeated', collect, [])
    .option('--deployment <name>', 'of this deployment')
    .option('--tag <tag>', 'with this tag')
    .option('--queue <name>', 'of this queue')
    .option('--since <when>', 'made since: a duration ago (2h) or an ISO time')
    .option('--until <when>', 'made before: a duration ago (2h) or an ISO time')
    .option('--search <text>', 'with this in the name, or at the beginning or end of the id')
    .option('--backfill <id>', 'made by this backfill')
    .option('--pinned [version]', 'pinned to this version of their flow, or to any');
}

/** The requested filter; empty if there is none. @throws BatutaError USAGE */
export function readRunFilter(options: FilterOptions, now: number): RunFilter {
  const { flow, state, deployment, tag, queue, since, until, search, backfill, pinned } = options;
  return given({
    ...{ flow, deployment, tag, queue, search, backfillId: backfill },
    pinned: pinned === true ? 'any' : pinned,
    states: state.length === 0 ? undefined : readStates(state),
    since: since === undefined ? undefined : readSince('--since', since, now),
    until: until === undefined ? undefined : readSince('--until', until, now),
  });
}
