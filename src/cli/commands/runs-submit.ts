/** `batuta runs submit`: hands a run to the workers. */
import type { Client, EnqueueOptions, RunHandle } from '../../client/client.ts';
import { isBatutaError } from '../../base/errors.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { flowWithParams } from '../flow-with-params.ts';
import { openSettings, withClientOf } from '../open.ts';
import { printJson } from '../print-json.ts';
import { readInteger, readStart } from '../read-options.ts';
import { type GivenParams, readParams } from '../read-params.ts';
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
  const given = await readParams(options.params, options.param, terminal.cwd);
  const startAt = readStart(options, clock.now());
  const priority = options.priority === undefined ? null : readInteger('--priority', options.priority, { min: -100, max: 100 });
  const settings = await openSettings(context);
  const { flow, params } = await flowWithParams(context, settings, target, given);
  const run = await withClientOf(context, settings, async (client) => {
    const enqueueOptions = {
      tags: options.tag,
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.queue === undefined ? {} : { queue: options.queue }),
      ...(options.idempotencyKey === undefined ? {} : { idempotencyKey: options.idempotencyKey }),
      ...(priority === null ? {} : { priority }),
      ...(startAt === null ? {} : { startAt }),
    };
    const handle = await (typeof flow === 'string'
      ? enqueueNamed(client, flow, params, given, enqueueOptions)
      : client.enqueue(flow, params, enqueueOptions));
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

/** The schema is with the server: a text that was read as JSON, and is refused so, is given once more as the text it is. */
async function enqueueNamed(
  client: Client,
  flow: string,
  params: unknown,
  { texts }: GivenParams,
  options: EnqueueOptions,
): Promise<RunHandle> {
  try {
    return await client.enqueue(flow, params, options);
  } catch (error) {
    const refused = isBatutaError(error, 'PARAMS_INVALID') ? refusedNames(error.details['issues']) : [];
    const again = Object.fromEntries(Object.entries(texts).filter(([name]) => refused.includes(name)));
    if (Object.keys(again).length === 0) throw error;
    return await client.enqueue(flow, { ...(params as object), ...again }, options);
  }
}

/** Names of the parameters that issues are about. */
function refusedNames(issues: unknown): string[] {
  if (!Array.isArray(issues)) return [];
  return issues.map((issue: { readonly path?: unknown }) => String(issue.path).split('.')[0] ?? '');
}
