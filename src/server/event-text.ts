/** Events as they are written; their data is one line, for JSON has no line breaks. */
import { toWire } from '../client/wire.ts';
import type { RunEvent, StoredLogLine, TaskEvent } from '../store/store.ts';

export function eventText(type: string, data: unknown): string {
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

export const textOfRun = (row: RunEvent): string => eventText('run', toWire(row));
export const textOfTask = (row: TaskEvent): string => eventText('task', toWire(row));
export const textOfLog = (row: StoredLogLine): string => eventText('log', toWire(row));

const joined = new WeakMap<readonly object[], Uint8Array>();

/** The events of a list as bytes. Made once for a list, so that all streams that carry the same events share them. */
export function bytesOf(told: readonly { readonly text: string }[]): Uint8Array {
  const known = joined.get(told);
  if (known !== undefined) return known;
  const bytes = Buffer.from(told.map(({ text }) => text).join(''));
  joined.set(told, bytes);
  return bytes;
}
