/** Log lines as the text of a file. */
import { stripVTControlCharacters } from 'node:util';
import type { TaskRun } from '../model/run.ts';
import type { StoredLogLine } from '../store/store.ts';

/** pino's levels, as written in the file. */
export const levelNames: Readonly<Record<number, string>> = { 10: 'TRACE', 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR', 60: 'FATAL' };

/**
 * `2026-11-22T14:05:09.120Z WARN  pack[3] one is missing {"attempt":1}`; without a task for a line of the run itself.
 *
 * Only log lines begin without a blank: a message can neither fake one nor control the terminal that shows the file.
 */
export function textOfLine(line: Pick<StoredLogLine, 'at' | 'level' | 'message' | 'fields'>, task: string | null): string {
  const { at, level, message, fields } = line;
  const further = fields === null ? '' : ` ${JSON.stringify(fields)}`;
  const text = plain(message).replaceAll('\n', '\n    ');
  const of = task === null ? '' : `${plain(task).replaceAll('\n', ' ')} `;
  return `${new Date(at).toISOString()} ${(levelNames[level] ?? String(level)).padEnd(5)} ${of}${text}${further}\n`;
}

/** Label of a task run: `load`, `pack[3]`, or the name its run was given. */
export function taskLabel({ name, displayName, index }: Pick<TaskRun, 'name' | 'displayName' | 'index'>): string {
  return displayName ?? (index === null ? name : `${name}[${index}]`);
}

function plain(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\r\n?/g, '\n')
    .replace(/(?![\n\t])\p{Cc}/gu, '');
}
