import type { CommandContext } from './context.ts';
import type { ExitStatus } from './exit-status.ts';
import { reportError } from './report-error.ts';

/** Does something for every id given; one that fails is reported and the rest goes on. Gives the worst status. */
export async function forEachRun(context: CommandContext, ids: readonly string[], act: (id: string) => Promise<void>): Promise<ExitStatus> {
  let worst: ExitStatus = 0;
  for (const id of new Set(ids)) {
    try {
      await act(id);
    } catch (error) {
      const status = reportError(error, context.terminal, context.globals);
      worst = worst > status ? worst : status;
    }
  }
  return worst;
}
