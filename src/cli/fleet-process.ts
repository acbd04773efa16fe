/** Starts a process of the fleet and keeps it running until a signal ends it. */
import { type Log, openLog } from '../base/log.ts';
import type { Config } from '../base/settings.ts';
import { onForeignExit } from '../base/foreign-exit.ts';
import { onShutdown } from '../base/signals.ts';
import type { FleetProcess } from '../client/fleet-process.ts';
import { takeUnchargedErrors } from '../engine/run/catch-escaped.ts';
import { refuseExits } from '../engine/run/refuse-exit.ts';
import type { CommandContext, ExitStatus } from './context.ts';

/** Starts it, and ends it on the first SIGTERM or Ctrl-C; a second one leaves at once. Status 0 if it ended cleanly. */
export async function serve(
  context: CommandContext,
  config: Config,
  graceMs: number,
  start: (log: Log) => Promise<FleetProcess>,
): Promise<ExitStatus> {
  const { err } = context.terminal;
  const log = await openLog({ level: config.logLevel, format: config.logFormat, colors: err.paint.isColorSupported, write: err.write });
  const expectExit = onForeignExit((status) =>
    log.logger.error(
      `Something in this process, most likely a flow, called process.exit(${status}). What it was executing is left to other processes.`,
    ),
  );
  const allowExits = refuseExits();
  const served = await start(log).catch((error: unknown) => {
    expectExit();
    throw error;
  });
  log.logger.info(served.greeting);
  const status = await new Promise<ExitStatus>((resolve) => {
    const forget = onShutdown(async (signal) => {
      expectExit();
      log.logger.info(`${signal}: takes nothing new and ends; a second signal leaves at once.`);
      await served.stop(graceMs);
      forget();
      resolve(0);
    });
    endOnUncharged(log, () => resolve(1));
  });
  allowExits();
  log.logger.info('Ended.');
  return status;
}

/**
 * Calls `end` after an error that cannot be attributed to a run: the state of the process is unknown. Nothing must be handed back: only
 * runs lost with their process count, and a run that kills one process after another has to be identified.
 */
export function endOnUncharged(log: Log, end: () => void): void {
  takeUnchargedErrors((error) => {
    log.logger.fatal({ err: error }, 'An uncaught error that belongs to no run ends this process. Its runs are left to other processes.');
    end();
  });
}
