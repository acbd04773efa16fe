/** Executes a run here and shows it: the common part of `run`, `runs retry` and `runs resume`. */
import type { RunHandle, RunInspection, RunOptions } from '../client/client.ts';
import type { LocalClient } from '../client/local-client.ts';
import { onForeignExit } from '../base/foreign-exit.ts';
import { programName } from '../base/program-name.ts';
import { refuseExits } from '../engine/run/refuse-exit.ts';
import type { CommandContext, ExitStatus } from './context.ts';
import { Interrupt } from './interrupt.ts';
import { printJson } from './print.ts';
import { runOutcomeJson } from './render/json.ts';
import { printOutcome, type RunDisplay } from './run-display.ts';
import { shortId } from '../model/ids.ts';

export interface FollowOptions {
  readonly json: boolean;
  /** Starts the run; its errors are the command's. */
  readonly start: (hooks: Required<Pick<RunOptions, 'signal' | 'onEvent'>>) => Promise<RunHandle>;
  /** What is already recorded of a run that is continued. */
  readonly before?: RunInspection;
  /** Called on a second Ctrl-C, after which nothing may be slow. */
  readonly onLeave?: () => void;
  /** Called once the run has ended and been shown. */
  readonly onEnd?: (inspection: RunInspection) => Promise<void>;
}

const firstWords = 'Cancelling; Ctrl-C again leaves at once.';

/**
 * Shows the run until it has ended, then its summary, or its one JSON object.
 *
 * Status: 0 completed · 1 failed, crashed or cancelled · 130 or 143 ended by a signal.
 */
export async function followRun(
  context: CommandContext,
  client: LocalClient,
  display: RunDisplay,
  options: FollowOptions,
): Promise<ExitStatus> {
  const interrupt = new Interrupt({
    clock: context.clock,
    onFirst: () => display.say(firstWords),
    onSecond: () => {
      options.onLeave?.();
      return client.close({ graceMs: 0, message: 'Ended by a second Ctrl-C.' });
    },
  });
  let going: RunHandle | null = null;
  const expectExit = onForeignExit((status) => {
    if (interrupt.status !== null) return;
    display.end();
    const id = going?.id ?? options.before?.run.id;
    const resume = id === undefined ? '' : ` What is recorded stays; to continue it: ${programName()} runs resume ${shortId(id)}`;
    context.terminal.err.line(`Something, most likely the flow, called process.exit(${status}) in the middle of the run.${resume}`);
  });
  const allowExits = refuseExits();
  try {
    if (options.before) display.seed(options.before.taskRuns);
    const handle = await options.start({ signal: interrupt.signal, onEvent: (event) => display.take(event) });
    going = handle;
    const run = await handle.done();
    display.end();
    const inspection = await client.runs.inspect(run.id);
    if (options.json) printJson(context.terminal, runOutcomeJson(inspection));
    else printOutcome(context, inspection);
    await options.onEnd?.(inspection);
    return interrupt.status ?? (run.state.type === 'COMPLETED' ? 0 : 1);
  } finally {
    display.end();
    interrupt.stop();
    expectExit();
    allowExits();
  }
}
