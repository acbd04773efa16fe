/** `batuta runs rejects`: the records that the tasks of a run rejected, and replaying them to those tasks. */
import type { DeadLetter, RejectCounts } from '../../model/dead-letters.ts';
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

/** Most reasons listed with their counts. */
const maxReasons = 20;

/** Prints them, or submits their replay. @throws BatutaError USAGE, RUN_NOT_FOUND, REJECTS_MISSING */
export async function rejectsOfRun(context: CommandContext, id: string, options: Options): Promise<ExitStatus> {
  if (options.watch && !options.retry) throw usage('--watch goes with --retry.');
  if (options.task !== undefined && options.retry) throw usage('--task does not go with --retry, which is of all tasks.');
  if (options.retry) return replay(context, id, options);
  const filter = options.task === undefined ? {} : { task: options.task };
  const { out, err } = context.terminal;
  return withClient(context, async (client) => {
    if (options.json) {
      const letters: DeadLetter[] = [];
      for await (const letter of client.runs.rejects(id, filter)) letters.push(letter);
      return printJson(context.terminal, letters);
    }
    for await (const letter of client.runs.rejects(id, filter)) out.line(JSON.stringify(letter));
    for (const line of reasonLines(await client.runs.rejectCounts(id, filter))) err.line(line);
    return 0;
  });
}

async function replay(context: CommandContext, id: string, options: Options): Promise<ExitStatus> {
  const run = await withClient(context, async (client) => (await client.runs.retryRejects(id)).get());
  return printSubmitted(context, run, run.flow, { tag: [], param: [], ...options });
}

function reasonLines({ total, reasons }: RejectCounts): string[] {
  const shown = reasons.slice(0, maxReasons);
  const rest = shown.reduce((sum, { count }) => sum - count, total);
  return [
    `${countOf(total)} rejected`,
    ...shown.map(({ task, reason, count }) => `  ${countOf(count)}  ${oneLine(`${task}: ${reason}`)}`),
    ...(rest > 0 ? [`  ${countOf(rest)}  for other reasons`] : []),
  ];
}
