/** `batuta doctor`: checks what Batuta stands on, one line a check, with what to do where something is wrong. */
import type { CommandContext } from '../context.ts';
import { type Check, checkAll } from '../checks.ts';
import type { ExitStatus } from '../exit-status.ts';
import { printJson } from '../print-json.ts';
import { oneLine, padEnd, widthOf } from '../render/width.ts';

const marks = { good: ['✓', 'green'], odd: ['△', 'yellow'], bad: ['✕', 'red'] } as const;

/** Prints every check. Status 1 when one is bad. With `--json` prints `{ ok, checks: [{ name, verdict, found, mend }] }`. */
export async function doctor(context: CommandContext, options: { readonly json?: boolean }): Promise<ExitStatus> {
  const checks = await checkAll(context);
  const ok = checks.every(({ verdict }) => verdict !== 'bad');
  if (options.json) printJson(context.terminal, { ok, checks });
  else printChecks(context, checks);
  return ok ? 0 : 1;
}

function printChecks({ terminal: { out } }: CommandContext, checks: readonly Check[]): void {
  const cells = Math.max(...checks.map(({ name }) => widthOf(name)));
  for (const { name, verdict, found, mend } of checks) {
    const [glyph, hue] = marks[verdict];
    out.line(`${out.paint[hue](glyph)} ${padEnd(name, cells)}  ${oneLine(found)}`);
    if (mend !== null) out.line(`  ${' '.repeat(cells)}  ${out.paint.cyan('→')} ${oneLine(mend)}`);
  }
}
