/** A recorded failure for people: its message, the line of the user's own code it came from, and its causes. */
import { readFileSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Failure } from '../../model/failure.ts';
import { packageFolder } from '../../base/installed.ts';
import type { Paint } from './paint.ts';
import { oneLine } from './width.ts';

/** A place in the user's code. */
export interface Frame {
  /** Absolute path. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const framePattern = /\(?((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^()]*?):(\d+):(\d+)\)?$/;
const maxSourceBytes = 2_000_000;

/** `TypeError: text [CODE]` on one line. */
export function failureTitle(failure: Failure): string {
  const code = failure.code === null || failure.message.includes(failure.code) ? '' : ` [${failure.code}]`;
  const name = failure.name === 'BatutaError' || failure.name === 'Error' ? '' : `${failure.name}: `;
  return oneLine(`${name}${failure.message}${code}`);
}

/** First frame of a stack that is neither Node's, a package's, nor Batuta's; null when there is none. */
export function userFrame(stack: string | null): Frame | null {
  for (const text of (stack ?? '').split('\n')) {
    const match = /^\s*at /.test(text) ? framePattern.exec(text.trim()) : null;
    if (!match?.[1]) continue;
    const file = match[1].startsWith('file://') ? fileURLToPath(match[1]) : match[1];
    if (!isUserFile(file)) continue;
    return { file, line: Number(match[2]), column: Number(match[3]) };
  }
  return null;
}

/**
 * Lines that explain a failure: title, place with its line of source, then each cause, indented by `indent` spaces.
 *
 * @param stack true adds the whole stack instead of the one line.
 */
export function failureLines(failure: Failure, paint: Paint, options: { readonly indent?: number; readonly stack?: boolean; readonly cwd: string }): string[] {
  const pad = ' '.repeat(options.indent ?? 0);
  const lines: string[] = [];
  for (let at: Failure | null = failure, first = true; at !== null; at = at.cause, first = false) {
    lines.push(first ? pad + paint.red(failureTitle(at)) : `${pad}${paint.dim('caused by')} ${failureTitle(at)}`);
    lines.push(...(options.stack ? stackLines(at, pad) : placeLines(at, pad, paint, options.cwd)));
  }
  return lines;
}

function placeLines(failure: Failure, pad: string, paint: Paint, cwd: string): string[] {
  const frame = userFrame(failure.stack);
  if (frame === null) return [];
  const place = `${pad}  ${paint.dim('at')} ${paint.cyan(`${shownPath(frame.file, cwd)}:${frame.line}:${frame.column}`)}`;
  const source = sourceLine(frame);
  return source === null ? [place] : [place, `${pad}  ${paint.dim(`${frame.line} │`)} ${source}`];
}

function stackLines(failure: Failure, pad: string): string[] {
  const frames = (failure.stack ?? '').split('\n').filter((line) => /^\s*at /.test(line));
  return frames.map((line) => `${pad}  ${oneLine(line)}`);
}

function isUserFile(file: string): boolean {
  const path = file.replaceAll('\\', '/');
  const own = packageFolder().replaceAll('\\', '/');
  return isAbsolute(file) && !path.includes('/node_modules/') && !path.startsWith(`${own}/src/`) && !path.startsWith(`${own}/dist/`);
}

/** A path as short as it can be said: relative when it lies in the folder, else as it is. */
export function shownPath(file: string, cwd: string): string {
  const path = relative(cwd, file);
  return path === '' || path.startsWith('..') || isAbsolute(path) ? file : path;
}

function sourceLine(frame: Frame): string | null {
  try {
    const text = readFileSync(frame.file, 'utf8');
    if (text.length > maxSourceBytes) return null;
    const line = text.split('\n')[frame.line - 1];
    return line === undefined || line.trim() === '' ? null : oneLine(line).slice(0, 160);
  } catch {
    return null;
  }
}
