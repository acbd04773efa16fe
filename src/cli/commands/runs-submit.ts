/** `batuta runs submit`: submits a run to the workers. */
import type { Client, EnqueueOptions, RunHandle } from '../../client/client.ts';
import { BatutaError, isBatutaError } from '../../base/errors.ts';
import { programName } from '../../base/program-name.ts';
import type { Run } from '../../model/run.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { flowWithParams, type GivenParams, readParams } from '../read-params.ts';
import { openSettings, withClientOf } from '../open.ts';
import { printJson } from '../print.ts';
import { given, readDuration, readPriority, readStart } from '../read-options.ts';
import { runListJson } from '../render/json.ts';
import { watchRun } from './runs-watch.ts';

/** Options of all commands that submit a run to the workers. */
export interface SubmitOptions extends JsonOption {
  readonly params?: string;
  readonly param: readonly string[];
  readonly queue?: string;
  readonly priority?: string;
  readonly startIn?: string;
  readonly startAt?: string;
  readonly ttl?: string;
  readonly name?: string;
  readonly tag: readonly string[];
  readonly refreshCache?: boolean;
  readonly watch?: boolean;
}

interface DebounceText {
  readonly debounce?: string;
  readonly debounceKey?: string;
  readonly debounceMax?: string;
}

/** Checks the parameters and records the run, which waits for a worker. */
export async function submitRun(
  context: CommandContext,
  target: string,
  options: SubmitOptions & DebounceText & { readonly idempotencyKey?: string },
): Promise<ExitStatus> {
  const { terminal, clock } = context;
  const typed = await readParams(options.params, options.param, terminal.cwd);
  const enqueueOptions = given({
    ...readEnqueueOptions(options, clock.now()),
    idempotencyKey: options.idempotencyKey,
    debounce: readDebounce(options),
  });
  const settings = await openSettings(context);
  const { flow, params } = await flowWithParams(context, settings, target, typed);
  const run = await withClientOf(context, settings, async (client) => {
    const handle = await (typeof flow === 'string'
      ? enqueueNamed(client, flow, params, typed, enqueueOptions)
      : client.enqueue(flow, params, enqueueOptions));
    return handle.get();
  });
  return printSubmitted(context, run, run.flow, options);
}

/** When, where and under which name the run is executed. @throws BatutaError USAGE */
export function readEnqueueOptions(options: SubmitOptions, now: number): EnqueueOptions {
  const { name, queue, tag, priority, refreshCache, ttl } = options;
  return given({
    ...{ tags: tag, name, queue, refreshCache, priority: readPriority(priority), startAt: readStart(options, now) ?? undefined },
    ttl: ttl === undefined ? undefined : readDuration('--ttl', ttl),
  });
}

/** @throws BatutaError USAGE */
function readDebounce({ debounce, debounceKey = 'all', debounceMax }: DebounceText): EnqueueOptions['debounce'] {
  if (debounce !== undefined)
    return {
      ...{ key: debounceKey, wait: readDuration('--debounce', debounce) },
      maxWait: debounceMax === undefined ? undefined : readDuration('--debounce-max', debounceMax),
    };
  if (debounceKey === 'all' && debounceMax === undefined) return undefined;
  throw new BatutaError('USAGE', '--debounce-key and --debounce-max go with --debounce, which says how long it must be quiet.');
}

/** Prints the id of the run, or the run as in `runs ls --json`; with `--watch` what `runs watch` prints. `of`: the flow or deployment. */
export async function printSubmitted(context: CommandContext, run: Run, of: string, options: SubmitOptions): Promise<ExitStatus> {
  const { out, err } = context.terminal;
  if (options.watch) return watchRun(context, run.id, options);
  if (options.json) return printJson(context.terminal, runListJson(run));
  out.line(run.id);
  const where = run.state.type === 'SCHEDULED' ? `waits in queue ${run.queue}` : `is ${run.state.name}`;
  err.line(`${run.name} of ${of} ${where}. To look at it: ${err.paint.bold(`${programName()} runs watch ${run.id}`)}`);
  return 0;
}

/** Only the server has the schema: text read as JSON and refused is submitted once more as plain text. */
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

/** Names of the parameters with issues. */
function refusedNames(issues: unknown): string[] {
  if (!Array.isArray(issues)) return [];
  return issues.map((issue: { readonly path?: unknown }) => String(issue.path).split('.')[0] ?? '');
}
