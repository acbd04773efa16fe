/** `batuta health`: whether the worker or scheduler beside it works; what containers ask. */
import { BatutaError } from '../../base/errors.ts';
import { settings } from '../../base/settings.ts';
import { readHealth } from '../../observe/health-file.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { openSettings } from '../open.ts';
import { printJson } from '../print-json.ts';

/** Prints one line, or `{ ok, found }`. Status 0 when the process works, 1 when not. @throws BatutaError USAGE without a file to look at */
export async function health(context: CommandContext, options: { readonly json?: boolean }): Promise<ExitStatus> {
  const { config } = await openSettings(context);
  const { name, env } = settings.healthFile;
  if (config.healthFile === null)
    throw new BatutaError('USAGE', `No ${name} is set. Set ${env} to the same file for the worker or scheduler and for batuta health.`);
  const found = await readHealth(config.healthFile, context.clock);
  const { out } = context.terminal;
  if (options.json) printJson(context.terminal, found);
  else out.line(`${found.ok ? out.paint.green('✓') : out.paint.red('✕')} ${found.found}`);
  return found.ok ? 0 : 1;
}
