/** `batuta runs signal`: tells a run what it waits for. */
import { BatutaError } from '../../base/errors.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { shortId } from '../render/ids.ts';

/** Sends the signal. @throws BatutaError USAGE (data that is not JSON), NAME_INVALID, RUN_NOT_FOUND, RUN_STATE_REFUSED */
export async function signalRun(
  context: CommandContext,
  id: string,
  name: string,
  options: { readonly data?: string; readonly json?: boolean },
): Promise<ExitStatus> {
  const data = options.data === undefined ? undefined : readData(options.data);
  await withClient(context, async (client) => {
    const run = await client.runs.get(id);
    const number = await client.runs.signal(run.id, name, data);
    if (options.json) printJson(context.terminal, { runId: run.id, signal: name, number });
    else context.terminal.out.line(`Sent '${name}' to ${run.name} (${shortId(run.id)}).`);
  });
  return 0;
}

function readData(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BatutaError('USAGE', `--data is not JSON: ${why}. Text needs quotes: --data '"yes"'.`, { cause });
  }
}
