/** `batuta scheduler`: keeps the fleet going. */
import type { StartScheduler } from '../../client/fleet-process.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { loadStart, serve } from '../fleet-process.ts';
import { openSettings } from '../open.ts';

/** Its loops end at once. */
const graceMs = 5_000;

/** Serves until it is told to end. */
export async function serveAsScheduler(context: CommandContext): Promise<ExitStatus> {
  const { config } = await openSettings(context);
  const start = await loadStart<StartScheduler>('scheduler');
  return serve(context, config, graceMs, (log) => start({ config, log, cwd: context.terminal.cwd }));
}
