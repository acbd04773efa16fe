/** `batuta runs submit`: hands a run to the workers. */
import { findFlow } from '../../define/find-flow.ts';
import { paramsFromText } from '../../engine/params.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { loadQuietly } from '../load-quietly.ts';
import { openSettings, withLocalClientOf } from '../open.ts';
import { printJson } from '../print-json.ts';
import { readInteger, readStart } from '../read-options.ts';
import { readParams } from '../read-params.ts';
import { runListJson } from '../render/json.ts';
import { watchRun } from './runs-watch.ts';

interface Options {
  readonly params?: string;
  readonly param: readonly string[];
  readonly queue?: string;
  readonly priority?: string;
  readonly startIn?: string;
  readonly startAt?: string;
  readonly idempotencyKey?: string;
  readonly name?: string;
  readonly tag: readonly string[];
  readonly watch?: boolean;
  readonly json?: boolean;
}

/**
 * Checks the parameters and records the run, which waits for a worker. Prints its id, or the run as in `runs ls --json`; with
 * `--watch` what `runs watch` prints.
 */
export async function submitRun(context: CommandContext, target: string, options: Options): Promise<ExitStatus> {
  const { terminal, clock } = context;
  const { cwd } = terminal;
  const given = await readParams(options.params, options.param, cwd);
  const startAt = readStart(options, clock.now());
  const priority = options.priority === undefined ? null : readInteger('--priority', options.priority, { min: -100, max: 100 });
  const { config } = await openSettings(context);
  const definition = await loadQuietly(context, () => findFlow(target, { flowsPath: config.flows, cwd }));
  const params = await paramsFromText(definition, given.data, given.texts);
  const run = await withLocalClientOf(context, config, terminal.err.write, async (client) => {
    const handle = await client.enqueue(definition, params, {
      tags: options.tag,
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.queue === undefined ? {} : { queue: options.queue }),
      ...(options.idempotencyKey === undefined ? {} : { idempotencyKey: options.idempotencyKey }),
      ...(priority === null ? {} : { priority }),
      ...(startAt === null ? {} : { startAt }),
    });
    return handle.get();
  });
  if (options.watch) return watchRun(context, run.id, { json: options.json === true });
  if (options.json) return printJson(terminal, runListJson(run));
  terminal.out.line(run.id);
  const watching = `batuta runs watch ${run.id}`;
  const where = run.state.type === 'SCHEDULED' ? `waits in queue ${run.queue}` : `is ${run.state.name}`;
  terminal.err.line(`${run.name} of ${run.flow} ${where}. To look at it: ${terminal.err.paint.bold(watching)}`);
  return 0;
}
