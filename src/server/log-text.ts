/** Log lines as the text of a file. */
import { stripVTControlCharacters } from 'node:util';
import type { StoredLogLine } from '../store/store.ts';

const levelNames: Readonly<Record<number, string>> = { 10: 'TRACE', 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR', 60: 'FATAL' };

/** What begins without a blank is a line of the log: a message cannot pretend to be one, nor steer the terminal that shows the file. */
export function textOfLine({ at, level, message, fields }: Pick<StoredLogLine, 'at' | 'level' | 'message' | 'fields'>): string {
  const further = fields === null ? '' : ` ${JSON.stringify(fields)}`;
  const text = stripVTControlCharacters(message)
    .replace(/\r\n?/g, '\n')
    .replace(/(?![\n\t])\p{Cc}/gu, '')
    .replaceAll('\n', '\n    ');
  return `${new Date(at).toISOString()} ${(levelNames[level] ?? String(level)).padEnd(5)} ${text}${further}\n`;
}
