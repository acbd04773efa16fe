/** `batuta runs signal`: tells a run what it waits for. */
import { BatutaError } from '../../base/errors.ts';
import { nearestNames } from '../../base/nearest.ts';
import { awaitedSignals } from '../../model/signal.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { shortId } from '../../model/ids.ts';

/**
 * Sends the signal, and says so when the run waits for others only.
 *
 * @throws BatutaError USAGE (data that is not JSON), NAME_INVALID, RUN_NOT_FOUND, RUN_STATE_REFUSED
 */
export async function signalRun(
  context: CommandContext,
  id: string,
  name: string,
  options: { readonly data?: string; readonly json?: boolean },
): Promise<ExitStatus> {
  const { terminal } = context;
  const data = options.data === undefined ? undefined : readData(options.data);
  await withClient(context, async (client) => {
    if (options.json) {
      const { id: runId } = await client.runs.get(id);
      return printJson(terminal, { runId, signal: name, number: await client.runs.signal(runId, name, data) });
    }
    // Looked at before: what it has waited for is over once the signal is there.
    const { run, taskRuns } = await client.runs.inspect(id);
    await client.runs.signal(run.id, name, data);
    terminal.out.line(`Sent '${name}' to ${run.name} (${shortId(run.id)}).`);
    const awaited = awaitedSignals(taskRuns);
    if (awaited.length === 0 || awaited.includes(name)) return;
    const [near] = nearestNames(name, awaited, 1);
    const nearHint = near === undefined ? '' : ` Did you mean '${near}'?`;
    const now = awaited.map((one) => `'${one}'`).join(' and ');
    terminal.err.line(`It waits for ${now} now; '${name}' is kept until it waits for that.${nearHint}`);
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
