/** `batuta runs inspect`: everything known about a run: head, error, parameters and result, tasks, artifacts, sub-flows, history. */
import { inspect } from 'node:util';
import { byteSize } from '../../base/byte-size.ts';
import { cutText } from '../../base/cut-text.ts';
import { formatDuration } from '../../base/duration.ts';
import type { PinView, RunInspection } from '../../client/client.ts';
import type { WaitReason } from '../../client/fleet-client.ts';
import { shortId } from '../../model/ids.ts';
import { runTimes, spentTimes } from '../../model/run-times.ts';
import type { ListedRun, Owner, Run, TaskRun, Transition } from '../../model/run.ts';
import { totalUsage } from '../../model/task-usage.ts';
import { startedByText, submittedIn, traceIdOfRun } from '../../model/submitted.ts';
import { traceUrlOf } from '../../model/trace.ts';
import { fromTypedJson } from '../../model/values.ts';
import { stageStatsOf } from '../../model/stage-stats.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print.ts';
import { artifactLines } from '../render/artifact.ts';
import { resourceLines, usedText } from '../render/resource-uses.ts';
import { countOf } from '../render/bar.ts';
import { failureBrief, failureLines, whyFailed } from '../render/failure.ts';
import { historiesOf, inspectionJson, inStartOrder, resultBytesOf } from '../render/json.ts';
import { glyphOf, labelOf, type Paint } from '../render/shapes.ts';
import { streamStatsLines } from '../render/stream-stats.ts';
import { taskLabel } from '../render/summary.ts';
import { type Column, factLines, tableLines } from '../render/table.ts';
import { phaseOf } from '../render/task-group.ts';
import { agoText, localMillisecond, localMinute, localSecond } from '../render/times.ts';
import { valueLine, valueLines } from '../render/value.ts';
import { cut, oneLine } from '../render/width.ts';

/** Prints the run; with `stats` the throughput of its stream tasks. */
export async function inspectRun(
  context: CommandContext,
  id: string,
  options: JsonOption & { readonly stats?: boolean },
): Promise<ExitStatus> {
  const { terminal, clock, globals } = context;
  if (options.stats) return printStats(context, id, options.json === true);
  const { inspection, why, traceUrl } = await withClient(context, async (client, config) => {
    const found = await client.runs.inspect(id);
    return { inspection: found, why: await client.runs.why(found.run.id), traceUrl: config.traceUrl };
  });
  if (options.json) return printJson(terminal, inspectionJson(inspection, why, traceUrl));
  const { out, cwd } = terminal;
  for (const line of inspectionLines(inspection, why, {
    paint: out.paint,
    width: out.columns,
    now: clock.now(),
    cwd,
    verbose: globals.verbose,
    traceUrl,
  }))
    out.line(line);
  return 0;
}

async function printStats({ terminal, clock, ...context }: CommandContext, id: string, json: boolean): Promise<ExitStatus> {
  const taskRuns = await withClient({ terminal, clock, ...context }, async (client) =>
    inStartOrder((await client.runs.inspect(id)).taskRuns),
  );
  if (json) return printJson(terminal, stageStatsOf(taskRuns));
  const { out, err } = terminal;
  const lines = streamStatsLines(taskRuns, { paint: out.paint, width: out.columns, now: clock.now() });
  for (const line of lines) out.line(line);
  if (lines.length === 0) err.line('No task of this run streams.');
  return 0;
}

/** How an inspection is rendered. */
export interface InspectionOptions {
  readonly paint: Paint;
  readonly width: number;
  /** Wall clock, epoch ms. */
  readonly now: number;
  readonly cwd: string;
  readonly verbose: boolean;
  /** URL of a trace, containing `{traceId}`; default none. */
  readonly traceUrl?: string | null;
}

/** Most task runs listed; if there are more, failed ones come first. */
const maxTasks = 100;
const maxTransitions = 20;
/** Most characters shown of one argument, and of a whole call. */
const maxArgChars = 60;
const minCallChars = 20;
const maxCallChars = 80;
const argLook = { depth: 2, maxArrayLength: 5, maxStringLength: 50, breakLength: Number.POSITIVE_INFINITY };

const hiddenText = 'Parameters, result, errors, messages, artifacts and logs are hidden for the role observer.';

/** Lines of the inspection. */
export function inspectionLines(inspection: RunInspection, why: WaitReason | null, options: InspectionOptions): string[] {
  const { run, params, result } = inspection;
  return [
    ...headLines(inspection, why, options),
    ...(inspection.isHidden === true ? ['', options.paint.dim(hiddenText)] : []),
    ...section(
      'error',
      run.error === null
        ? []
        : failureLines(run.error, options.paint, { indent: 2, stack: options.verbose, cwd: options.cwd, width: options.width }),
      options,
    ),
    ...section('could not be undone', notUndoneLines(inspection, options), options),
    ...section('parameters', isEmpty(params) ? [] : indented(valueLines(params, valueOptions(options))), options),
    ...section('result', result === undefined || result === null ? [] : indented(valueLines(result, valueOptions(options))), options),
    ...taskSection(inspection, options),
    ...inspection.artifacts.flatMap((artifact) =>
      section(`${artifact.kind} ${oneLine(artifact.name)}`, indented(artifactLines(artifact, options)), options),
    ),
    ...section('resources', resourceLines(inspection, options), options),
    ...section(
      'sub-flows',
      inspection.children.map((child) => childLine(child, options)),
      options,
    ),
    ...historySection(inspection.transitions, options),
  ];
}

function notUndoneLines({ rollback }: RunInspection, { paint }: InspectionOptions): string[] {
  return (rollback?.remaining ?? []).map(({ task, index, undo, message }) => {
    const name = index === null ? task : `${task}[${index}]`;
    return `  ${paint.red(oneLine(name))}  ${oneLine(`${undo} failed: ${message}`)}`;
  });
}

function headLines(
  { run, alike, transitions, taskRuns, pin }: RunInspection,
  why: WaitReason | null,
  { paint, now, traceUrl = null }: InspectionOptions,
): string[] {
  const traceId = traceIdOfRun(run);
  const { callerRunId, traceparent, refreshCache, expiresAt, debounceKey, trigger } = submittedIn(run.params);
  const times = runTimes(run, now);
  const spent = spentTimes(historiesOf(transitions).get(null) ?? [], now);
  const took = times === null ? '' : `  ${formatDuration(times.executingMs)}`;
  const facts: (readonly [string, string | null])[] = [
    ['id', run.id],
    ['flow', `${oneLine(run.flow)}  ${paint.dim(`version ${run.flowVersion}`)}`],
    ['pinned', pin === null ? null : pinnedText(pin, run)],
    [
      'attempt',
      run.attempt > 1 || run.recoveries > 0
        ? `${run.attempt}${run.recoveries > 0 ? `, taken over ${run.recoveries === 1 ? 'once' : `${run.recoveries} times`}` : ''}`
        : null,
    ],
    ['deployment', run.deployment],
    ['tick', run.scheduledFor === null ? null : new Date(run.scheduledFor).toISOString().replace('.000Z', 'Z')],
    ['backfill', run.backfillId],
    ['queue', run.queue === 'default' ? null : run.queue],
    ['turns by', run.fairKey == null ? null : oneLine(run.fairKey)],
    ['slots', run.slots == null ? null : `${run.slots} places of a worker`],
    ['created', timeText(run.createdAt, now)],
    ['started', run.startedAt === null ? null : timeText(run.startedAt, now)],
    ['ended', run.endedAt === null ? null : timeText(run.endedAt, now)],
    ['suspended', spent === null || spent.suspendedMs < 1_000 ? null : formatDuration(spent.suspendedMs)],
    ['waited', spent === null || spent.waitingMs < 1_000 ? null : `${formatDuration(spent.waitingMs)} between its attempts`],
    ['in all', spent === null || spent.wallMs - spent.executingMs < 1_000 ? null : formatDuration(spent.wallMs)],
    ['used', usedText(totalUsage(taskRuns)) || null],
    ['due', run.dueAt === null ? null : timeText(run.dueAt, now)],
    ['expires', expiresAt === undefined || run.startedAt !== null || run.endedAt !== null ? null : timeText(expiresAt, now)],
    ['debounced', debounceKey === undefined ? null : `by ${oneLine(debounceKey)}`],
    ['ran elsewhere', run.owner?.reporter === undefined ? null : oneLine(ranElsewhere(run.owner))],
    ['owner', run.owner === null || run.endedAt !== null || run.owner.reporter ? null : `${run.owner.host}, process ${run.owner.pid}`],
    ['tags', run.tags.length === 0 ? null : run.tags.map(oneLine).join(', ')],
    ['part of', run.parentRunId],
    ['started by', trigger === undefined ? null : oneLine(startedByText(trigger))],
    ['caller', callerRunId === undefined ? null : oneLine(callerRunId)],
    ['trace', traceUrlOf(traceUrl, traceId) ?? (traceparent === undefined ? null : traceId)],
    ['cache', refreshCache === undefined ? null : 'its tasks make their values anew'],
    ['source', run.source],
  ];
  // The wait reason is current; the message is from when the wait began.
  const reason = why?.message ?? whyFailed(run, alike) ?? (run.error === null ? run.state.message : null);
  const message = reason === null ? [] : [`  ${oneLine(reason)}`];
  const title = `${labelOf(run.state, paint)}  ${paint.bold(oneLine(run.name))}${took}`;
  return [title, ...message, ...factLines(facts, paint, 8)];
}

/** `to version 3f2a1b9c0d4e, which 2 living workers have`. */
function pinnedText({ version, workers }: PinView, { endedAt }: Run): string {
  const who =
    workers === 0 ? 'which no living worker has' : `which ${workers === 1 ? '1 living worker has' : `${workers} living workers have`}`;
  return `to version ${oneLine(version)}${endedAt === null ? `, ${who}` : ''}`;
}

function ranElsewhere({ reporter, host, pid }: Owner): string {
  return `${reporter?.name ?? ''} ${reporter?.version ?? ''} on ${host}, process ${pid}`;
}

function timeText(at: number, now: number): string {
  return `${localMinute(at)}:${localSecond(at).slice(-2)}  (${agoText(at, now)})`;
}

const taskColumns: readonly Column[] = [
  { head: '  task', max: 110 },
  { head: 'state' },
  { head: 'duration', align: 'right' },
  { head: 'attempt', align: 'right', drop: 1 },
  { head: 'what' },
];

function taskSection({ taskRuns, transitions }: RunInspection, options: InspectionOptions): string[] {
  if (taskRuns.length === 0) return [];
  const { paint, width } = options;
  const listed = taskRuns.length <= maxTasks ? taskRuns : [...taskRuns].sort((a, b) => urgencyOf(a) - urgencyOf(b)).slice(0, maxTasks);
  const histories = historiesOf(transitions);
  const rows = inStartOrder(listed).map((taskRun) => taskCells(taskRun, histories.get(taskRun.id) ?? [], options));
  const rest = taskRuns.length - listed.length;
  const more = rest > 0 ? [paint.dim(`  … and ${countOf(rest)} more (--json shows all)`)] : [];
  return section('tasks', [...tableLines(taskColumns, rows, paint, width), ...more], options);
}

function urgencyOf({ state }: TaskRun): number {
  return ['failed', 'running', 'waiting', 'blocked', 'cancelled', 'done', 'skipped'].indexOf(phaseOf(state));
}

function taskCells(taskRun: TaskRun, history: readonly Transition[], { paint, now, width }: InspectionOptions): string[] {
  const { state, attempt, error, metrics } = taskRun;
  const spent = spentTimes(history, now);
  const took = spent === null ? '' : formatDuration(spent.executingMs);
  const waited = spent !== null && spent.waitingMs >= 1_000 ? `waited ${formatDuration(spent.waitingMs)} between its attempts` : '';
  const suspended = spent !== null && spent.suspendedMs >= 1_000 ? `suspended ${formatDuration(spent.suspendedMs)}` : '';
  const bytes = resultBytesOf(taskRun);
  const large = bytes === null ? '' : `result of ${byteSize(bytes)}`;
  const measured =
    metrics === null
      ? ''
      : Object.entries(metrics)
          .map(([name, value]) => `${oneLine(name)} ${countOf(value)}`)
          .join(', ');
  const what =
    error && state.type !== 'COMPLETED'
      ? paint.red(failureBrief(error))
      : oneLine([state.message ?? '', measured, large, usedText(taskRun), suspended, waited].filter((text) => text !== '').join('  '));
  const args = taskRun.displayName === null ? paint.dim(callText(taskRun, width)) : '';
  return [`  ${taskLabel(taskRun)}${args}`, labelOf(state, paint), took, String(attempt), what];
}

/** The arguments of a call in a code flow, `(1, { month: '01' })`; '' for other task runs. */
function callText({ callArgs }: TaskRun, width: number): string {
  if (callArgs === null) return '';
  const texts = callArgs.map((arg) => {
    if ('result' in arg) return `result of ${arg.result.split('#')[0] ?? ''}`;
    if ('text' in arg) return arg.text;
    return valueLine(inspect(fromTypedJson(arg.json, arg.types), argLook), maxArgChars) + (arg.cut ? ' …' : '');
  });
  const room = Math.max(minCallChars, Math.min(maxCallChars, width - 90));
  return cutText(oneLine(`(${texts.join(', ')})`), room, '…');
}

function childLine(child: ListedRun, { paint }: InspectionOptions): string {
  return `  ${glyphOf(child.state, paint)} ${oneLine(child.flow)}  ${oneLine(child.name)}  ${paint.dim(shortId(child.id))}`;
}

function historySection(transitions: readonly Transition[], options: InspectionOptions): string[] {
  const ofRun = transitions.filter(({ taskRunId }) => taskRunId === null);
  const { paint } = options;
  const lines = ofRun
    .slice(-maxTransitions)
    .map(
      ({ at, type, name, message }) =>
        `  ${paint.dim(localMillisecond(at))}  ${labelOf({ type, name }, paint)}${message === null ? '' : `  ${oneLine(message)}`}`,
    );
  const rest = transitions.length - lines.length;
  return section(
    'history',
    [...lines, ...(rest > 0 ? [paint.dim(`  and ${countOf(rest)} ${rest === 1 ? 'change' : 'changes'} of tasks (--json shows all)`)] : [])],
    options,
  );
}

/** A section with an empty line above it; nothing if it has no lines. */
function section(title: string, lines: readonly string[], { paint, width }: InspectionOptions): string[] {
  return lines.length === 0 ? [] : ['', paint.bold(title), ...lines.map((line) => cut(line, Math.max(width, 40)))];
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function valueOptions({ paint, width }: InspectionOptions): Parameters<typeof valueLines>[1] {
  return { color: paint.isColorSupported, width };
}

function isEmpty(params: unknown): boolean {
  return params === undefined || params === null || valueLine(params) === '{}';
}
