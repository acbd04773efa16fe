/** A recorded failure for people: its message, the line of the user's own code it came from, and its causes. */
import { readFileSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import type { Failure } from '../../model/failure.ts';
import { type Alike, type FailedRun, failureSentence } from '../../model/failure-sentence.ts';
import { cutText } from '../../base/cut-text.ts';
import { type Frame, userFrame } from '../../base/user-frame.ts';
import type { Paint } from './shapes.ts';
import { localMinute } from './times.ts';
import { valueLine } from './value.ts';
import { cut, oneLine, widthOf } from './width.ts';

const maxSourceBytes = 2_000_000;

/** Most characters shown of a message; `--json` has all of it. */
const maxMessageChars = 600;
/** Most parts shown of an AggregateError. */
const maxParts = 5;

/** `TypeError: text [CODE]` on one line; a long text is cut, with the number of characters left out. */
export function failureTitle(failure: Failure): string {
  const code = failure.code === null || failure.message.includes(failure.code) ? '' : ` [${failure.code}]`;
  const name = failure.name === 'BatutaError' || failure.name === 'Error' ? '' : `${failure.name}: `;
  const { message } = failure;
  const kept = cutText(message, maxMessageChars);
  const rest = message.length - kept.length;
  const text = rest > 0 ? `${kept} … (${rest.toLocaleString('en-US')} more characters, --json shows all)` : message;
  return oneLine(`${name}${text}${code}`);
}

/** Why a run failed, in the sentence used everywhere; null if it did not fail. */
export function whyFailed(run: FailedRun, alike: Alike | null): string | null {
  const sentence = failureSentence(run, { alike, time: localMinute });
  return sentence === null ? null : oneLine(sentence);
}

/** The title, and on the same line its parts or cause, unless the message names them. */
export function failureBrief(failure: Failure): string {
  const title = failureTitle(failure);
  const below = failure.errors?.length ? failure.errors.slice(0, maxParts) : failure.cause === null ? [] : [failure.cause];
  const causes = below.map(failureTitle).filter((text) => !title.includes(text));
  return causes.length === 0 ? title : `${title} (${causes.join('; ')})`;
}

/** How a failure is drawn. */
export interface FailureOptions {
  /** Spaces before each line; default none. */
  readonly indent?: number;
  /** Whether to print the whole stack instead of the one line. */
  readonly stack?: boolean;
  /** Folder to which paths are relative. */
  readonly cwd: string;
  /** Cells available for a source line; default 100. */
  readonly width?: number;
}

/**
 * Lines that explain a failure: title, place with its source line, its fields, then the parts of an AggregateError, then the cause, each in
 * the same form.
 */
export function failureLines(failure: Failure, paint: Paint, options: FailureOptions): string[] {
  return linesOf(failure, { label: '', isFirst: true }, paint, options);
}

interface Part {
  /** Relation to the failure above; '' for the first. */
  readonly label: string;
  readonly isFirst: boolean;
}

function linesOf(failure: Failure, { label, isFirst }: Part, paint: Paint, options: FailureOptions): string[] {
  const indent = options.indent ?? 0;
  const pad = ' '.repeat(indent);
  const title = failureTitle(failure);
  const errors = failure.errors ?? [];
  const shown = errors.slice(0, maxParts);
  const count = failure.errorCount ?? errors.length;
  const below = { ...options, indent: indent + 2 };
  return [
    ...(isFirst ? wrapped(title, options).map((line) => pad + paint.red(line)) : [`${pad}${paint.dim(label)} ${title}`]),
    ...(options.stack ? stackLines(failure, pad) : placeLines(failure, pad, paint, options)),
    ...fieldLines(failure, pad, paint, options),
    ...shown.flatMap((one, at) => linesOf(one, { label: `${at + 1} of ${count}:`, isFirst: false }, paint, below)),
    ...(count > shown.length && shown.length > 0
      ? [`${pad}  ${paint.dim(`and ${count - shown.length} more (--json shows what is recorded)`)}`]
      : []),
    ...(failure.cause === null ? [] : linesOf(failure.cause, { label: 'caused by', isFirst: false }, paint, options)),
  ];
}

/** A title wrapped over as many lines as it needs, so that nothing is cut at the edge of the terminal. */
function wrapped(title: string, { width = 100, indent = 0 }: FailureOptions): string[] {
  const room = Math.max(20, width - indent);
  const lines: string[] = [];
  let rest = title;
  while (widthOf(rest) > room) {
    const head = cut(rest, room + 1).slice(0, -1);
    const space = head.lastIndexOf(' ');
    const end = space > room / 2 ? space : head.length;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

function fieldLines(
  { fields = {}, fieldsLeftOut = [], details }: Failure,
  pad: string,
  paint: Paint,
  { width = 100 }: FailureOptions,
): string[] {
  const shown = isEmptyRecord(details) ? Object.entries(fields) : [['details', details] as const, ...Object.entries(fields)];
  const lines = shown.map(([name, value]) => {
    const label = `${pad}  ${paint.dim(`${oneLine(name)}:`)} `;
    return label + valueLine(value, Math.max(20, width - pad.length - name.length - 4));
  });
  return fieldsLeftOut.length === 0 ? lines : [...lines, `${pad}  ${paint.dim(`not recorded: ${fieldsLeftOut.map(oneLine).join(', ')}`)}`];
}

function isEmptyRecord(details: unknown): boolean {
  return details === null || details === undefined || (typeof details === 'object' && Object.keys(details).length === 0);
}

function placeLines(failure: Failure, pad: string, paint: Paint, { cwd, width = 100 }: FailureOptions): string[] {
  const frame = userFrame(failure.stack);
  if (frame === null) return [];
  const place = `${pad}  ${paint.dim('at')} ${paint.cyan(`${shownPath(frame.file, cwd)}:${frame.line}:${frame.column}`)}`;
  const source = sourceLine(frame, Math.max(20, width - pad.length - String(frame.line).length - 6));
  return source === null ? [place] : [place, `${pad}  ${paint.dim(`${frame.line} │`)} ${source}`];
}

function stackLines(failure: Failure, pad: string): string[] {
  const frames = (failure.stack ?? '').split('\n').filter((line) => /^\s*at /.test(line));
  return frames.map((line) => `${pad}  ${oneLine(line)}`);
}

/** The shortest form of a path: relative if it is inside the folder, else unchanged. */
export function shownPath(file: string, cwd: string): string {
  const path = relative(cwd, file);
  return path === '' || path.startsWith('..') || isAbsolute(path) ? file : path;
}

/** The source line of a frame; if it is too long, the part around the column. */
function sourceLine(frame: Frame, maxChars: number): string | null {
  try {
    const text = readFileSync(frame.file, 'utf8');
    if (text.length > maxSourceBytes) return null;
    const line = text.split('\n')[frame.line - 1];
    if (line === undefined || line.trim() === '') return null;
    const clean = oneLine(line);
    if (clean.length <= maxChars) return clean;
    const column = Math.max(0, frame.column - 1 - (line.length - line.trimStart().length));
    const start = Math.max(0, Math.min(column - Math.floor(maxChars / 2), clean.length - maxChars + 1));
    return `${start > 0 ? '…' : ''}${clean.slice(start + (start > 0 ? 1 : 0), start + maxChars - 1)}${start + maxChars - 1 < clean.length ? '…' : ''}`;
  } catch {
    return null;
  }
}
