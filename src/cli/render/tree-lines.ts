/** Draws a run as lines that fit a terminal: a head, then one line per task (shape, name, duration, details), as many as fit. */
import { formatDuration } from '../../base/duration.ts';
import { shortId } from '../../model/ids.ts';
import type { TaskRun } from '../../model/run.ts';
import { isTerminal } from '../../model/state.ts';
import { barOf, countOf, endsBar, percentOf } from './bar.ts';
import { failureTitle } from './failure.ts';
import type { RunTree } from './run-tree.ts';
import { glyphOf, type Hue, type Paint, shapeOf } from './shapes.ts';
import type { Phase, TaskGroup } from './task-group.ts';
import { tookText } from './times.ts';
import { cut, oneLine, padEnd, padStart, widthOf } from './width.ts';

/** Where and when a frame is drawn. */
export interface FrameOptions {
  readonly columns: number;
  /** Most lines, at least 3. */
  readonly rows: number;
  /** Wall clock, epoch ms. */
  readonly now: number;
  /** Frame counter for animation; null draws a still picture. */
  readonly frame: number | null;
  readonly paint: Paint;
}

const maxNameCells = 36;
const minChildRows = 4;

/** Lines of one frame, none wider than the terminal. */
export function treeLines(tree: RunTree, options: FrameOptions): string[] {
  const lines = [headLine(tree, options), ...bodyLines(tree, options, Math.max(2, options.rows - 1), 1)];
  return lines.map((line) => cut(line, options.columns));
}

/** If it does not fit, the run's name is left out, then the flow is cut: the id is enough to find the run. */
function headLine(tree: RunTree, { now, paint, columns }: FrameOptions): string {
  const { run } = tree;
  const elapsed = tookText(run, now);
  // The shape shows the rest; the summary says how it ended.
  const state = isTerminal(run.state.type) || run.state.type === 'RUNNING' ? '' : `${run.state.name} `;
  const attempt = run.attempt > 1 ? ` · attempt ${run.attempt}` : '';
  const id = ` · ${shortId(run.id)}${attempt}`;
  const flow = oneLine(run.flow);
  const name = ` · ${oneLine(run.name)}`;
  const room = columns - widthOf(`${glyphOf(run.state, paint)}   ${state}${elapsed}${id}`);
  const hasName = widthOf(flow) + widthOf(name) <= room;
  const title = `${glyphOf(run.state, paint)} ${paint.bold(cut(flow, Math.max(1, room)))}`;
  return `${title}  ${paint[shapeOf(run.state).hue](state)}${elapsed}${paint.dim(`${hasName ? name : ''}${id}`)}`;
}

function bodyLines(tree: RunTree, options: FrameOptions, room: number, depth: number): string[] {
  const { shown, fold } = selectGroups(tree, room, options.paint);
  const nameCells = Math.min(
    Math.max(...shown.map((group) => widthOf(nameOf(group))), 4),
    maxNameCells,
    Math.max(8, Math.floor(options.columns / 2) - 2 * depth),
  );
  const surroundings: RowSurroundings = { ...options, depth, nameCells };
  let left = room - shown.length - (fold === null ? 0 : 1);
  const lines: string[] = [];
  for (const group of shown) {
    lines.push(rowLine(tree, group, surroundings));
    const child = group.isGroup ? undefined : tree.children.get(group.name);
    if (!child || left < minChildRows) continue;
    const below = bodyLines(child, options, left, depth + 1);
    left -= below.length;
    lines.push(...below);
  }
  if (fold !== null) lines.push(`${'  '.repeat(depth)}${fold}`);
  return lines;
}

/**
 * The groups to draw in their order, and a line that counts the rest. If they do not all fit, running groups come first, then
 * failed ones, then those that ended last.
 */
function selectGroups(tree: RunTree, room: number, paint: Paint): { shown: TaskGroup[]; fold: string | null } {
  if (tree.groups.size <= room) return { shown: [...tree.groups.values()], fold: null };
  const chosen = new Set<TaskGroup>();
  const places = Math.max(1, room - 1);
  for (const candidates of [tree.active, tree.failed, tree.recent.toReversed(), tree.groups.values()]) {
    for (const group of candidates) {
      if (chosen.size >= places) break;
      chosen.add(group);
    }
  }
  return { shown: [...chosen].sort((a, b) => a.order - b.order), fold: foldLine(tree, chosen, paint) };
}

const foldWords = [
  ['done', '✓', 'green'],
  ['running', '●', 'blueBright'],
  ['failed', '✕', 'red'],
  ['blocked', '✕', 'gray'],
  ['skipped', '⊘', 'gray'],
  ['cancelled', '⊘', 'gray'],
  ['waiting', '◷', 'magenta'],
] as const;

function foldLine(tree: RunTree, chosen: ReadonlySet<TaskGroup>, paint: Paint): string {
  const rest = { ...tree.groupCounts };
  for (const group of chosen) rest[group.phase]--;
  const parts = foldWords
    .filter(([phase]) => rest[phase] > 0)
    .map(([phase, glyph, hue]) => `${paint[hue](glyph)} ${rest[phase].toLocaleString('en-US')} ${phase}`);
  return `${paint.dim('… and')} ${parts.join('  ')}`;
}

/** Context in which a line is drawn. */
export interface RowSurroundings {
  readonly columns: number;
  readonly now: number;
  readonly frame: number | null;
  readonly paint: Paint;
  /** Depth of the run below the root, from 1. */
  readonly depth: number;
  readonly nameCells: number;
}

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;
const durationCells = 9;
const wideColumns = 72;

const phaseMarks: Readonly<Record<Phase, readonly [glyph: string, hue: Hue]>> = {
  waiting: ['◷', 'magenta'],
  running: ['●', 'blueBright'],
  done: ['✓', 'green'],
  skipped: ['⊘', 'gray'],
  failed: ['✕', 'red'],
  blocked: ['✕', 'gray'],
  cancelled: ['⊘', 'gray'],
};

/** The line of one task, or of all items of a mapped one. May be wider than the terminal. */
export function rowLine(tree: RunTree, group: TaskGroup, options: RowSurroundings): string {
  const { depth, nameCells, paint } = options;
  const shownName = cut(nameOf(group), nameCells);
  const name = padEnd(group.phase === 'waiting' || group.phase === 'blocked' ? paint.dim(shownName) : shownName, nameCells);
  const detail = group.isGroup ? groupDetail(group, options) : singleDetail(tree, group, options);
  return `${'  '.repeat(depth)}${markOf(tree, group, options)} ${name} ${padStart(elapsedOf(tree, group, options), durationCells)}  ${detail}`.trimEnd();
}

/** Name of a group on its line. */
export function nameOf(group: TaskGroup): string {
  const own = group.isGroup ? null : group.last?.displayName;
  return oneLine(own ?? (group.name.startsWith('flow:') ? `↳ ${group.name.slice('flow:'.length)}` : group.name));
}

function markOf(tree: RunTree, group: TaskGroup, { frame, paint }: RowSurroundings): string {
  const phase = shownPhase(tree, group);
  if (phase === 'running' && frame !== null) return paint.blueBright(spinner[frame % spinner.length] ?? '●');
  if (!group.isGroup && group.last) return glyphOf(group.last.state, paint);
  const [glyph, hue] = phaseMarks[phase];
  return group.size === 0 && !group.isGroup ? paint.gray('○') : paint[hue](glyph);
}

/** Phase of a group; in an ended run nothing is running, whatever was no longer recorded. */
function shownPhase({ run }: RunTree, group: TaskGroup): Phase {
  const { phase, counts } = group;
  if ((phase !== 'running' && phase !== 'waiting') || !isTerminal(run.state.type) || group.size === 0) return phase;
  return counts.failed > 0 ? 'failed' : 'cancelled';
}

function elapsedOf(tree: RunTree, group: TaskGroup, { now, paint }: RowSurroundings): string {
  const phase = shownPhase(tree, group);
  if (group.startedAt === null || phase === 'waiting') return '';
  const endedAt = phase === 'running' ? now : (group.endedAt ?? now);
  return paint.dim(formatDuration(Math.max(0, endedAt - group.startedAt)));
}

function singleDetail(tree: RunTree, group: TaskGroup, options: RowSurroundings): string {
  const { paint } = options;
  const { last } = group;
  if (!last) {
    const froms = tree.waitsFor(group.name);
    return froms.length === 0 ? '' : paint.dim(`waits for ${listed(froms)}`);
  }
  const attempt = last.attempt > 1 ? [paint.yellow(`attempt ${last.attempt}`)] : [];
  return [...attempt, ...stateDetail(last, group, options)].join('  ');
}

function stateDetail(taskRun: TaskRun, group: TaskGroup, options: RowSurroundings): string[] {
  const { paint, now } = options;
  const { state, error, dueAt } = taskRun;
  if (group.phase === 'running') return progressDetail(taskRun, options);
  if (group.phase === 'failed') return [paint.red(error ? failureTitle(error) : (state.message ?? state.name))];
  if (state.name === 'AwaitingRetry') {
    const wait = dueAt === null ? 'waits for its next attempt' : `next attempt in ${formatDuration(Math.max(0, dueAt - now))}`;
    return [paint.magenta(wait), ...(error ? [paint.dim(failureTitle(error))] : [])];
  }
  const said = state.message === null ? [] : [paint.dim(oneLine(state.message))];
  return state.name === 'Completed' || state.name === 'Scheduled' ? said : [paint.dim(state.name), ...said];
}

function progressDetail({ progress, metrics }: TaskRun, { paint, columns }: RowSurroundings): string[] {
  if (!progress) return [];
  if (progress.total === null || progress.total <= 0)
    return metrics?.['perSecond'] === undefined ? [paint.dim(countOf(progress.done))] : streamDetail(metrics, paint);
  const bar = barOf(progress.done / progress.total, barCells(columns), paint);
  return [`${bar} ${percentOf(progress.done, progress.total)}`, paint.dim(`${countOf(progress.done)}/${countOf(progress.total)}`)];
}

const streamWords = { in: 'in', out: 'out', rejected: 'rejected', parseErrors: 'parse errors', skipped: 'skipped' };

/** Throughput of a stream task. */
function streamDetail(metrics: NonNullable<TaskRun['metrics']>, paint: Paint): string[] {
  const counts = Object.entries(streamWords).flatMap(([name, word]) => {
    const count = metrics[name];
    return count === undefined ? [] : [`${countOf(count)} ${word}`];
  });
  return [paint.dim([...counts, `${countOf(metrics['perSecond'] ?? 0)}/s`].join(' · '))];
}

function groupDetail(group: TaskGroup, { paint, columns }: RowSurroundings): string {
  const { counts, ended, total } = group;
  const known = group.items !== null;
  const { done, failed, skipped, blocked, cancelled } = counts;
  const ends = { done, failed, stopped: skipped + blocked + cancelled, total };
  const bar = known && total > 0 ? [endsBar(ends, barCells(columns), paint)] : [];
  const count = known ? `${countOf(ended)}/${countOf(total)}` : `${countOf(ended)} ended`;
  const rest = (['running', 'failed', 'skipped', 'blocked', 'cancelled'] as const)
    .filter((phase) => counts[phase] > 0)
    .map((phase) => paint[phaseMarks[phase][1]](`${countOf(counts[phase])} ${phase}`));
  const failure = group.failure ? [paint.red(failureTitle(group.failure.error))] : [];
  return [[...bar, count].join(' '), ...rest, ...failure].join(paint.dim(' · '));
}

function barCells(columns: number): number {
  return columns >= wideColumns ? 20 : columns >= 56 ? 12 : 8;
}

function listed(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
}
