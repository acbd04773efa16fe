/** A scheduler inside a program. */
import type { StartScheduler } from '../client/fleet-process.ts';
import { stopIfLoading } from '../model/loading.ts';
import { loadStart } from './load-start.ts';
import { type RunningProcess, runningProcess } from './running.ts';
import { type ProcessOptions, readProcessSettings } from './settings.ts';

/**
 * Starts a scheduler in this process. Any number may run in a fleet: each tick makes one run.
 *
 * In a file that is only loaded for its flows it starts nothing and never resolves.
 *
 * @throws BatutaError CONFIG_INVALID, BROKER_UNAVAILABLE, STORE_…
 */
export async function startScheduler(options: ProcessOptions = {}): Promise<RunningProcess> {
  await stopIfLoading();
  const { config, openLog } = await readProcessSettings(options);
  const start = await loadStart<StartScheduler>('scheduler');
  return runningProcess(await start({ config, log: await openLog(), cwd: process.cwd() }), options.signals ?? false);
}
