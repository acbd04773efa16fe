/** One log line for people. */
import type { LogLine } from '../../model/run.ts';
import type { Paint } from './shapes.ts';
import { localMillisecond } from './times.ts';
import { valueLine } from './value.ts';

/** pino's levels by name, lowest first. */
export const logLevels = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const;
export type LogLevel = keyof typeof logLevels;

const hues = { trace: 'gray', debug: 'gray', info: 'green', warn: 'yellow', error: 'red', fatal: 'red' } as const;

/** Name of a level; one between two names gets the lower. */
export function levelName(level: number): LogLevel {
  const names = Object.keys(logLevels) as LogLevel[];
  return names.findLast((name) => logLevels[name] <= level) ?? 'trace';
}

/** `14:05:09.120 info  flights  412 rows  { month: '01' }`; further lines of the message are indented below it; a first attempt is not named, unless it had ended by then. */
export function logLineText(line: LogLine, task: string | null, paint: Paint): string {
  const level = levelName(line.level);
  const head = [
    paint.dim(localMillisecond(line.at)),
    paint[hues[level]](level.padEnd(5)),
    ...(task === null ? [] : [paint.cyan(task)]),
  ].join(' ');
  const isLate = line.fields?.['late'] === true;
  const fields = Object.entries(line.fields ?? {}).filter(([name, value]) => name !== 'attempt' || value !== 1 || isLate);
  const shown = fields.length === 0 ? '' : ` ${paint.dim(valueLine(Object.fromEntries(fields), 400))}`;
  const message = stripControl(line.message).trimEnd().split('\n').join('\n    ');
  return `${head} ${message}${shown}`;
}

/** Removes terminal control sequences; line breaks, tabs and plain colours stay. */
function stripControl(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(
      /\u001b\[[0-9;]*m|\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
      (found) => (/^\u001b\[[0-9;]*m$/.test(found) ? found : ''),
    );
}
