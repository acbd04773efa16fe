/** `batuta runs rejects`: the records that the tasks of a run have rejected, and giving them to those tasks again. */
import { BatutaError } from '../../base/errors.ts';
import { type DeadLetter, deadLettersOf } from '../../model/dead-letters.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print.ts';
import { usage } from '../read-options.ts';
import { countOf } from '../render/bar.ts';
import { oneLine } from '../render/width.ts';
import { printSubmitted } from './runs-submit.ts';

interface Options extends JsonOption {
  readonly task?: string;
  readonly retry?: boolean;
  readonly watch?: boolean;
}

/** Reasons that are listed with their counts. */
const maxReasons = 20;

/** Prints them, or submits their replay. @throws BatutaError USAGE, RUN_NOT_FOUND, REJECTS_MISSING */
export async function rejectsOfRun(context: CommandContext, id: string, options: Options): Promise<ExitStatus> {
  if (options.watch && !options.retry) throw usage('--watch goes with --retry.');
  if (options.task !== undefined && options.retry) throw usage('--task does not go with --retry, which is of all tasks.');
  if (options.retry) return replay(context, id, options);
  const letters = await withClient(context, async (client) => deadLettersOf((await client.runs.inspect(id)).artifacts));
  const listed = options.task === undefined ? letters : letters.filter(({ stage }) => stage === options.task);
  if (options.json) return printJson(context.terminal, listed);
  const { out, err } = context.terminal;
  for (const letter of listed) out.line(JSON.stringify(letter));
  for (const line of reasonLines(listed)) err.line(line);
  return 0;
}

async function replay(context: CommandContext, id: string, options: Options): Promise<ExitStatus> {
  const run = await withClient(context, async (client) => {
    const { run: rejecting, artifacts, params } = await client.runs.inspect(id);
    if (deadLettersOf(artifacts).length === 0)
      throw new BatutaError('REJECTS_MISSING', `The tasks of run ${rejecting.id} have rejected no records.`, {
        details: { runId: rejecting.id },
      });
    const { flow, queue, priority, tags } = rejecting;
    return (await client.enqueue(flow, params, { queue, priority, tags: [...tags], replayOf: rejecting.id })).get();
  });
  return printSubmitted(context, run, run.flow, { tag: [], param: [], ...options });
}

function reasonLines(letters: readonly DeadLetter[]): string[] {
  const counts = new Map<string, number>();
  for (const { stage, reason } of letters) counts.set(`${stage}: ${reason}`, (counts.get(`${stage}: ${reason}`) ?? 0) + 1);
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  const rest = sorted.length - maxReasons;
  return [
    `${countOf(letters.length)} rejected`,
    ...sorted.slice(0, maxReasons).map(([reason, count]) => `  ${countOf(count)}  ${oneLine(reason)}`),
    ...(rest > 0 ? [`  … and ${countOf(rest)} other reasons`] : []),
  ];
}
