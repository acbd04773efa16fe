/** Events as text, one line of JSON each, and the place of a reader as an event id. */
import { toWire } from '../../client/wire.ts';
import type { RunEvent, StoredLogLine, TaskEvent } from '../../store/store.ts';

/** The subject of an event: a change of a run, a change of a task run, a log line. */
export type EventKind = 'run' | 'task' | 'log';

/** A reader's place: numbers of the last change of a run and, if it follows one run, of its last task and log line. */
export type EventPlace = Readonly<Record<EventKind, number>>;

/** A row from its feed, and its event. */
export interface Told<Row> {
  readonly row: Row;
  readonly text: string;
}

/** @param id where a reader that has the event continues; default: where it did before */
export function eventText(type: string, data: unknown, id?: string): string {
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n${id === undefined ? '' : `id: ${id}\n`}\n`;
}

export const textOfRun = (row: RunEvent): string => eventText('run', toWire(row));
export const textOfTask = (row: TaskEvent): string => eventText('task', toWire(row));
export const textOfLog = (row: StoredLogLine): string => eventText('log', toWire(row));

/** Bytes passed to a connection at once; more if one event is larger. */
export const pieceBytes = 64 * 1024;

const joined = new WeakMap<readonly object[], readonly Uint8Array[]>();

/** The events of a list as pieces of bytes. Made once per list, so that all streams with the same events share them. */
export function bytesOf(told: readonly { readonly text: string }[]): readonly Uint8Array[] {
  const known = joined.get(told);
  if (known !== undefined) return known;
  const pieces: string[] = [];
  for (const { text } of told) {
    const last = pieces.at(-1);
    if (last === undefined || last.length + text.length > pieceBytes) pieces.push(text);
    else pieces[pieces.length - 1] = last + text;
  }
  const bytes = pieces.map((piece) => Buffer.from(piece));
  joined.set(told, bytes);
  return bytes;
}

/** The place as an event id. */
export function idOfPlace({ run, task, log }: EventPlace, ofOneRun: boolean): string {
  return ofOneRun ? `${run}-${task}-${log}` : String(run);
}

/** The place in an event id; null if it is not one of ours. */
export function placeOfId(id: string): EventPlace | null {
  const [, run, task = '0', log = '0'] = /^(\d{1,15})(?:-(\d{1,15})-(\d{1,15}))?$/.exec(id) ?? [];
  return run === undefined ? null : { run: Number(run), task: Number(task), log: Number(log) };
}
