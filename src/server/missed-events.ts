/** Reads from the store what a reader has missed since its last event. */
import type { EventStore, NumberedRows } from '../store/store.ts';
import type { EventPlace } from './event-place.ts';
import type { EventKind, EventQuery, EventReader } from './event-reader.ts';
import type { EventStream } from './event-stream.ts';
import { eventText, textOfLog, textOfRun, textOfTask } from './event-text.ts';

interface Missed {
  /** Where the reader was cut off. */
  readonly from: EventPlace;
  /** Where it listens from. */
  readonly now: EventPlace;
  readonly query: EventQuery;
  readonly reader: EventReader;
  readonly stream: EventStream;
}

/** A reader that missed more is told of a gap, and asks anew for what it shows. */
const maxMissed = 5_000;
const pageRows = 1_000;

/** Writes what was missed, or one `gap`. */
export async function readMissed(events: EventStore, { from, now, query, reader, stream }: Missed): Promise<void> {
  // Numbers of another database, or of one that was begun anew.
  if (from.run > now.run + maxMissed) return stream.write(eventText('gap', { reason: 'unknown' }));
  const runs = await readAll(from.run, (after, limit) => events.runs(after, limit));
  if (runs === null) return stream.write(eventText('gap', { reason: 'old' }));
  replay(
    reader,
    'run',
    runs.filter((row) => reader.wants(row)),
    textOfRun,
  );
  const { run } = query;
  if (run === undefined) return;
  const tasks = await readAll(from.task, (after, limit) => events.tasks(run, after, limit));
  const logs = await readAll(from.log, (after, limit) => events.logs(run, after, limit));
  if (tasks === null || logs === null) return stream.write(eventText('gap', { reason: 'old' }));
  replay(reader, 'task', tasks, textOfTask);
  replay(reader, 'log', logs, textOfLog);
}

function replay<Row extends { readonly seq: number }>(
  reader: EventReader,
  kind: EventKind,
  rows: readonly Row[],
  textOf: (row: Row) => string,
): void {
  for (const row of rows) reader.replay(kind, { row, text: textOf(row) });
}

/** All rows after a number; null when there are too many. */
async function readAll<Row extends { readonly seq: number }>(
  after: number,
  read: (after: number, limit: number) => Promise<NumberedRows<Row>>,
): Promise<readonly Row[] | null> {
  const all: Row[] = [];
  for (let from = after; ; ) {
    const { rows } = await read(from, pageRows);
    all.push(...rows);
    if (all.length > maxMissed) return null;
    from = rows.at(-1)?.seq ?? from;
    if (rows.length < pageRows) return all;
  }
}
