/** Draws a run as lines that fit a terminal: a head, then one line a task, as many as there is room for. */
import { isTerminal } from '../../model/state.ts';
import { shortId } from '../../model/ids.ts';
import { glyphOf, type Paint, shapeOf } from './shapes.ts';
import type { RunTree } from './run-tree.ts';
import { nameOf, rowLine, type RowSurroundings } from './row-line.ts';
import type { TaskGroup } from './task-group.ts';
import { tookText } from './times.ts';
import { cut, oneLine, widthOf } from './width.ts';

/** Where and when a frame is drawn. */
export interface FrameOptions {
  readonly columns: number;
  /** Lines at most, at least 3. */
  readonly rows: number;
  /** Wall clock, epoch ms. */
  readonly now: number;
  /** Counts frames, for what moves; null draws what stands still. */
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

function headLine(tree: RunTree, { now, paint }: FrameOptions): string {
  const { run } = tree;
  const elapsed = tookText(run, now);
  // What is plain to see from the shape is not said; how it ended the summary says.
  const state = isTerminal(run.state.type) || run.state.type === 'RUNNING' ? '' : `${run.state.name} `;
  const attempt = run.attempt > 1 ? ` · attempt ${run.attempt}` : '';
  const title = `${glyphOf(run.state, paint)} ${paint.bold(oneLine(run.flow))}`;
  const facts = paint.dim(` · ${oneLine(run.name)} · ${shortId(run.id)}${attempt}`);
  return `${title}  ${paint[shapeOf(run.state).hue](state)}${elapsed}${facts}`;
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
 * The groups to draw in their order, and a line that counts the rest. When they do not all fit: what runs comes first, then
 * what failed, then what ended last.
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
