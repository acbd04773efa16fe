/** `batuta flow inspect`: the tasks of a flow, their options, and the parameters. */
import { formatDuration } from '../../base/duration.ts';
import { findFlow } from '../../define/find-flow.ts';
import { jsonSchemaOf } from '../../engine/params.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { RetryDelay, RetryPolicy } from '../../model/retry.ts';
import type { TaskDefinition } from '../../model/task.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { loadQuietly } from '../load-quietly.ts';
import { openSettings } from '../open.ts';
import { printJson } from '../print-json.ts';
import { shownPath } from '../render/failure.ts';
import type { Paint } from '../render/paint.ts';
import { parameterLines } from '../render/parameters.ts';
import { tableLines } from '../render/table.ts';
import { oneLine } from '../render/width.ts';

/** Prints the flow. */
export async function inspectFlow(context: CommandContext, target: string, options: { readonly json?: boolean }): Promise<ExitStatus> {
  const { terminal } = context;
  const { config } = await openSettings(context);
  const definition = await loadQuietly(context, () => findFlow(target, { flowsPath: config.flows, cwd: terminal.cwd }));
  if (options.json) return printJson(terminal, flowJson(definition));
  const { out, cwd } = terminal;
  for (const line of flowLines(definition, out.paint, cwd)) out.line(line);
  return 0;
}

function flowLines(flow: FlowDefinition, paint: Paint, cwd: string): string[] {
  const facts: (readonly [string, string])[] = [
    ['class', flow.className],
    ['kind', flow.kind === 'code' ? 'code flow: run() decides which tasks run' : 'static graph'],
    ['version', flow.version],
    ...(flow.source === null ? [] : [['file', shownPath(flow.source.file, cwd)] as const]),
    ...(flow.tags.length === 0 ? [] : [['tags', flow.tags.join(', ')] as const]),
    ...flowOptions(flow),
  ];
  const rows = [...flow.tasks.values()].map((task) => [`  ${task.name}`, waitsText(task), taskOptions(task)]);
  return [
    paint.bold(flow.name) + (flow.description === null ? '' : `  ${oneLine(flow.description)}`),
    ...facts.map(([name, text]) => `  ${paint.dim(name.padEnd(11))} ${text}`),
    '',
    paint.bold('tasks'),
    ...(rows.length === 0
      ? ['  none']
      : tableLines([{ head: '  name' }, { head: 'waits for' }, { head: 'options' }], rows, paint).map((line) => line.trimEnd())),
    '',
    paint.bold('parameters'),
    ...parameterLines(flow.params !== null, jsonSchemaOf(flow.params), paint),
  ];
}

function flowOptions({ retry, timeoutMs, concurrency, result, hooks }: FlowDefinition): (readonly [string, string])[] {
  return [
    ...(retry.retries > 0 ? [['retries', retryText(retry)] as const] : []),
    ...(timeoutMs === null ? [] : [['timeout', formatDuration(timeoutMs)] as const]),
    ...(concurrency === null ? [] : [['concurrency', `${concurrency} tasks at the same time`] as const]),
    ...(result === null ? [] : [['result', result] as const]),
    ...(hooks.length === 0 ? [] : [['hooks', hooks.map(({ event, name }) => `${name} on ${event}`).join(', ')] as const]),
  ];
}

function waitsText({ each, needs, after }: TaskDefinition): string {
  return [...(each === null ? [] : [`each of ${each}`]), ...needs, ...after.map((name) => `after ${name}`)].join(', ');
}

function taskOptions(task: TaskDefinition): string {
  const { retry, timeoutMs, trigger, isolate, spread, queue, eachLimit, when, persist, priority } = task;
  return [
    ...(retry.retries > 0 ? [`retries ${retryText(retry)}`] : []),
    ...(timeoutMs === null ? [] : [`timeout ${formatDuration(timeoutMs)}`]),
    ...(trigger === 'allSucceeded' ? [] : [`trigger ${trigger}`]),
    ...(when === null ? [] : ['conditional']),
    ...(eachLimit === null ? [] : [`${eachLimit} items at the same time`]),
    ...(isolate === null ? [] : ['own thread']),
    ...(spread ? [queue === null ? 'any worker' : `any worker of ${queue}`] : []),
    ...(persist ? [] : ['result in memory only']),
    ...(priority === 0 ? [] : [`priority ${priority}`]),
    ...(task.tags.length === 0 ? [] : [`tags ${task.tags.join(' ')}`]),
  ].join(', ');
}

function retryText({ retries, delayMs, backoff }: RetryPolicy): string {
  const wait = waitText(delayMs);
  return `${retries}${wait === '' ? '' : ` after ${wait}`}${backoff === 'exponential' ? ', doubling' : ''}`;
}

function waitText(delayMs: RetryDelay): string {
  if (typeof delayMs === 'function') return 'a computed wait';
  return typeof delayMs === 'number' ? (delayMs === 0 ? '' : formatDuration(delayMs)) : delayMs.map(formatDuration).join(', ');
}

function flowJson(flow: FlowDefinition): object {
  const { name, className, kind, version, description, tags, source, retry, timeoutMs, concurrency, result, hooks, graph } = flow;
  return {
    name,
    className,
    kind,
    version,
    description,
    tags,
    file: source?.file ?? null,
    exportName: source?.exportName ?? null,
    retries: retry.retries,
    timeoutMs,
    concurrency,
    result,
    hooks: hooks.map((hook) => ({ event: hook.event, name: hook.name })),
    paramsSchema: jsonSchemaOf(flow.params),
    tasks: [...flow.tasks.values()].map(taskJson),
    edges: graph.edges,
  };
}

function taskJson(task: TaskDefinition): object {
  const { name, description, version, tags, needs, after, each, eachLimit, trigger, retry, timeoutMs, priority } = task;
  const { isolate, spread, queue, persist } = task;
  const { retries, delayMs, backoff, maxDelayMs, jitter } = retry;
  const retryDelayMs = typeof delayMs === 'function' ? null : delayMs;
  return {
    name,
    description,
    version,
    tags,
    needs,
    after,
    each,
    eachLimit,
    conditional: task.when !== null,
    trigger,
    retries,
    retryDelayMs,
    backoff,
    maxRetryDelayMs: maxDelayMs,
    jitter,
    timeoutMs,
    priority,
    isolate,
    spread,
    queue,
    persist,
  };
}
