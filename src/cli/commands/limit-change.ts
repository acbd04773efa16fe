/** `batuta limit set` and `limit delete`. */
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { readCount } from '../read-options.ts';
import { limitJson } from '../render/limit.ts';

const maxSlots = 1_000_000;

/** Sets a limit. Those that hold more than it allows finish first. */
export async function setLimit(
  context: CommandContext,
  name: string,
  slots: string,
  options: { readonly json?: boolean },
): Promise<ExitStatus> {
  const { terminal } = context;
  const count = readCount('The number of slots', slots, { min: 0, max: maxSlots });
  const limit = await withClient(context, (client) => client.limits.set(name, count));
  if (options.json) return printJson(terminal, limitJson(limit));
  const over = limit.held > limit.slots ? ` ${limit.held} are held; those that hold one finish first.` : '';
  terminal.out.line(`The limit ${limit.name} is ${limit.slots} now.${over}`);
  return 0;
}

/** Takes a limit away. */
export async function deleteLimit(context: CommandContext, name: string): Promise<ExitStatus> {
  await withClient(context, (client) => client.limits.delete(name));
  context.terminal.out.line(`The limit ${name} is gone.`);
  return 0;
}
