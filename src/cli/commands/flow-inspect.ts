/** `batuta flow inspect`: the tasks of a flow, their options, and the parameters. */
import { formatDuration } from '../../base/duration.ts';
import { isolationWords } from '../../model/isolation-words.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { findFlowView, type FlowView, type TaskView } from '../flow-view.ts';
import { printJson } from '../print.ts';
import { shownPath } from '../render/failure.ts';
import type { Paint } from '../render/shapes.ts';
import { tableLines } from '../render/table.ts';
import { valueLine } from '../render/value.ts';
import { oneLine } from '../render/width.ts';

/** Prints the flow. */
export async function inspectFlow(context: CommandContext, target: string, options: JsonOption): Promise<ExitStatus> {
  const { terminal } = context;
  const flow = await findFlowView(context, target);
  if (options.json) return printJson(terminal, flowJson(flow));
  const { out, cwd } = terminal;
  for (const line of flowLines(flow, out.paint, cwd)) out.line(line);
  return 0;
}

function flowLines(flow: FlowView, paint: Paint, cwd: string): string[] {
  const facts: (readonly [string, string])[] = [
    ['class', flow.className],
    ['kind', flow.kind === 'code' ? 'code flow: run() decides which tasks run' : 'static graph'],
    ['version', flow.version + (flow.versioning === 'pin' ? ', to which its runs are pinned' : '')],
    ...(flow.file === null ? [] : [['file', shownPath(flow.file, cwd)] as const]),
    ...(flow.tags.length === 0 ? [] : [['tags', flow.tags.join(', ')] as const]),
    ...flowOptions(flow),
  ];
  const rows = flow.tasks.map((task) => [`  ${task.name}`, waitsText(task, flow), taskOptions(task)]);
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
    ...parameterLines(flow.hasParams, flow.paramsSchema as Readonly<Record<string, unknown>> | null, paint),
  ];
}

function flowOptions(flow: FlowView): (readonly [string, string])[] {
  const { timeoutMs, concurrency, result, hooks } = flow;
  return [
    ...(flow.retries > 0 ? [['retries', retryText(flow)] as const] : []),
    ...(timeoutMs === null ? [] : [['timeout', formatDuration(timeoutMs)] as const]),
    ...(concurrency === null ? [] : [['concurrency', `${concurrency} tasks at the same time`] as const]),
    ...(flow.fairness === null ? [] : [['fairness', `turns by ${oneLine(flow.fairness)}`] as const]),
    ...(flow.slots === 1 ? [] : [['slots', `${flow.slots} places of a worker a run`] as const]),
    ...(result === null ? [] : [['result', result] as const]),
    ...(hooks.length === 0 ? [] : [['hooks', hooks.map(({ event, name }) => `${name} on ${event}`).join(', ')] as const]),
  ];
}

function waitsText({ name, each, needs, after }: TaskView, { edges }: FlowView): string {
  // A step of a pipeline needs no task by name; only the graph shows what it follows.
  if (needs.length + after.length === 0)
    return [
      ...(each === null ? [] : [`each of ${each}`]),
      ...edges.filter(({ to, from }) => to === name && from !== each).map(({ from }) => from),
    ].join(', ');
  return [...(each === null ? [] : [`each of ${each}`]), ...needs, ...after.map((name) => `after ${name}`)].join(', ');
}

function taskOptions(task: TaskView): string {
  const { timeoutMs, trigger, spread, queue, eachLimit, conditional, persist, priority } = task;
  return [
    ...(task.retries > 0 ? [`retries ${retryText(task)}`] : []),
    ...(timeoutMs === null ? [] : [`timeout ${formatDuration(timeoutMs)}`]),
    ...(trigger === 'allSucceeded' ? [] : [`trigger ${trigger}`]),
    ...(conditional ? ['conditional'] : []),
    ...(eachLimit === null ? [] : [`${eachLimit} items at the same time`]),
    ...isolationWords(task),
    ...(spread ? [queue === null ? 'any worker' : `any worker of ${queue}`] : []),
    ...(persist ? [] : ['result in memory only']),
    ...(priority === 0 ? [] : [`priority ${priority}`]),
    ...(task.tags.length === 0 ? [] : [`tags ${task.tags.join(' ')}`]),
  ].join(', ');
}

function retryText({ retries, retryDelayMs, backoff }: Pick<TaskView, 'retries' | 'retryDelayMs' | 'backoff'>): string {
  const wait = waitText(retryDelayMs);
  return `${retries}${wait === '' ? '' : ` after ${wait}`}${backoff === 'exponential' ? ', doubling' : ''}`;
}

function waitText(delayMs: TaskView['retryDelayMs']): string {
  if (delayMs === null) return 'a computed wait';
  return typeof delayMs === 'number' ? (delayMs === 0 ? '' : formatDuration(delayMs)) : delayMs.map((ms) => formatDuration(ms)).join(', ');
}

function flowJson(flow: FlowView): object {
  const { name, className, kind, version, description, tags, file, exportName, retries, timeoutMs, concurrency, versioning } = flow;
  const { slots, fairness, result, hooks, paramsSchema, tasks, edges } = flow;
  return {
    ...{ name, className, kind, version, versioning, description, tags, file, exportName, retries, timeoutMs, concurrency },
    ...{ slots, fairness, result, hooks, paramsSchema, tasks, edges },
  };
}

type Fields = Readonly<Record<string, unknown>>;

/** Lines of a table, one per parameter; a sentence if there is none or no schema. */
export function parameterLines(hasSchema: boolean, schema: Fields | null, paint: Paint): string[] {
  if (!hasSchema) return ['  no schema: anything is taken'];
  const properties = fieldsOf(schema?.['properties']);
  if (schema === null || properties === null) return ['  checked by a schema that cannot be printed'];
  const required: readonly unknown[] = Array.isArray(schema['required']) ? schema['required'] : [];
  const rows = Object.entries(properties).map(([name, property]) => {
    const fields = fieldsOf(property) ?? {};
    const standard = fields['default'] === undefined ? '' : `default ${valueLine(fields['default'], 40)}`;
    const said = typeof fields['description'] === 'string' ? oneLine(fields['description']) : '';
    return [`  ${name}`, typeText(fields), required.includes(name) && standard === '' ? 'required' : standard, said];
  });
  if (rows.length === 0) return ['  none'];
  return tableLines([{ head: '  name' }, { head: 'type', max: 50 }, { head: '' }, { head: '' }], rows, paint).map((line) => line.trimEnd());
}

function typeText(fields: Fields): string {
  if (Array.isArray(fields['enum'])) return fields['enum'].map((value) => JSON.stringify(value)).join(' | ');
  const either = fields['anyOf'] ?? fields['oneOf'];
  if (Array.isArray(either)) return either.map((one) => typeText(fieldsOf(one) ?? {})).join(' | ');
  if (fields['const'] !== undefined) return JSON.stringify(fields['const']);
  if (fields['type'] === 'array') return `${typeText(fieldsOf(fields['items']) ?? {})}[]`;
  const type = typeof fields['type'] === 'string' ? fields['type'] : 'any';
  return typeof fields['format'] === 'string' ? `${type} (${fields['format']})` : type;
}

function fieldsOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}
