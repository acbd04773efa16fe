/** Shows how far a backfill is until it ends; leaving (Ctrl-C) leaves it alone. */
import type { Client } from '../client/client.ts';
import type { BackfillView } from '../client/deployments-client.ts';
import type { CommandContext } from './context.ts';
import { Interrupt } from './interrupt.ts';
import { progressText } from './render/backfill-lines.ts';
import { cut } from './render/width.ts';

/** How often is asked. A line is only written where nobody watches when a tenth more is done. */
const pollMs = 500;
const eraseLine = '\r\u001b[2K';

/** The backfill once it has ended, or as it was when the watcher left; with the status of the signal that ended the watch. */
export async function watchBackfill(
  context: CommandContext,
  client: Client,
  id: string,
): Promise<{ readonly view: BackfillView; readonly left: 130 | 143 | null }> {
  const { terminal, clock } = context;
  const { err } = terminal;
  const interrupt = new Interrupt({ clock, onFirst: () => undefined, onSecond: async () => undefined });
  const signal = AbortSignal.any([terminal.gone, interrupt.signal]);
  let shown = -1;
  try {
    for (;;) {
      const view = await client.backfills.get(id);
      const tenths = Math.floor(((view.completed + view.failed + view.cancelled) * 10) / Math.max(1, view.total));
      if (err.isTty) err.write(`${eraseLine}${cut(progressText(view, err.paint), err.columns - 1)}`);
      else if (tenths !== shown) err.line(progressText(view, err.paint));
      shown = tenths;
      if (view.endedAt !== null || signal.aborted) {
        if (err.isTty) err.write(eraseLine);
        const { status } = interrupt;
        return { view, left: status === 130 || status === 143 ? status : null };
      }
      await clock.sleep(pollMs, signal).catch(() => undefined);
    }
  } finally {
    interrupt.stop();
  }
}
