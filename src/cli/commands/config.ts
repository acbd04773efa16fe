/** `batuta config`: every setting with where it comes from. */
import { describeConfig } from '../../base/config.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { openSettings } from '../open.ts';
import { printJson } from '../print-json.ts';
import { tableLines } from '../render/table.ts';

/** Prints the settings; secrets are hidden. With `--json` a list of `{ name, env, value, source }`. */
export async function printConfig(context: CommandContext, options: { readonly json?: boolean }): Promise<ExitStatus> {
  const settings = describeConfig(await openSettings(context));
  const { out } = context.terminal;
  if (options.json) return printJson(context.terminal, settings);
  const { paint } = out;
  const rows = settings.map(({ name, env, value, source }) => [
    name,
    value === '' ? paint.dim('unset') : value,
    source === 'default' ? paint.dim(source) : paint.green(source),
    paint.dim(env),
  ]);
  const columns = [{ head: 'setting' }, { head: 'value', max: 60 }, { head: 'from' }, { head: 'variable', drop: 1 }];
  for (const line of tableLines(columns, rows, paint, out.isTty ? out.columns : undefined)) out.line(line);
  return 0;
}
