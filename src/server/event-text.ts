/** Events as they are written; their data is one line, for JSON has no line breaks. */
import { toWire } from '../client/wire.ts';
import type { RunEvent, StoredLogLine, TaskEvent } from '../store/store.ts';

export function eventText(type: string, data: unknown): string {
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

export const textOfRun = (row: RunEvent): string => eventText('run', toWire(row));
export const textOfTask = (row: TaskEvent): string => eventText('task', toWire(row));
export const textOfLog = (row: StoredLogLine): string => eventText('log', toWire(row));
