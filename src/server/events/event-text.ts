/** Events as they are written, one line of JSON each, and the place of a reader as an event id. */
import { toWire } from '../../client/wire.ts';
import type { RunEvent, StoredLogLine, TaskEvent } from '../../store/store.ts';

/** Of what an event tells: a change of a run, a change of a task run, a log line. */
export type EventKind = 'run' | 'task' | 'log';

/** Where a reader stands: numbers of the last change of a run and, when it follows one run, of its last task and log line. */
export type EventPlace = Readonly<Record<EventKind, number>>;

/** A row as its feed gives it, and its event. */
export interface Told<Row> {
  readonly row: Row;
  readonly text: string;
}

/** @param id where a reader that has had the event goes on; default: where it went on before */
export function eventText(type: string, data: unknown, id?: string): string {
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n${id === undefined ? '' : `id: ${id}\n`}\n`;
}

export const textOfRun = (row: RunEvent): string => eventText('run', toWire(row));
export const textOfTask = (row: TaskEvent): string => eventText('task', toWire(row));
export const textOfLog = (row: StoredLogLine): string => eventText('log', toWire(row));

/** What a connection is given at once, bytes; more where one event is larger. */
export const pieceBytes = 64 * 1024;

const joined = new WeakMap<readonly object[], readonly Uint8Array[]>();

/** The events of a list as pieces of bytes. Made once for a list, so that all streams that carry the same events share them. */
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

/** The place that an event id names; null when it is none of ours. */
export function placeOfId(id: string): EventPlace | null {
  const [, run, task = '0', log = '0'] = /^(\d{1,15})(?:-(\d{1,15})-(\d{1,15}))?$/.exec(id) ?? [];
  return run === undefined ? null : { run: Number(run), task: Number(task), log: Number(log) };
}
