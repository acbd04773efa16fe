import { programName } from '../base/config.ts';
import type { RunInspection } from '../client/client.ts';
import type { CommandContext } from './context.ts';
import { firstFailed, summaryLines } from './render/summary.ts';
import { noCounts, phaseOf } from './render/task-group.ts';

/** Prints how a run ended, why, and where to look next, on standard output. */
export function printOutcome({ terminal, globals }: CommandContext, { run, taskRuns, result }: RunInspection): void {
  const counts = noCounts();
  for (const taskRun of taskRuns) counts[phaseOf(taskRun.state)]++;
  const failed = run.state.type === 'FAILED' || run.state.type === 'CRASHED' ? firstFailed(taskRuns) : null;
  const { out, cwd } = terminal;
  out.line();
  const options = { cwd, width: out.columns, verbose: globals.verbose, program: programName() };
  for (const line of summaryLines({ run, counts, failed, result }, out.paint, options)) out.line(line);
}
