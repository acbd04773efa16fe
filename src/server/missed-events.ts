/** Reads from the store what a reader has missed since its last event. */
import { letOthersIn } from '../base/turns.ts';
import type { EventStore, NumberedRows } from '../store/store.ts';
import type { EventPlace } from './event-place.ts';
import type { EventKind, EventQuery, EventReader } from './event-reader.ts';
import { type EventStream, maxWaitingBytes } from './event-stream.ts';
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
export async function readMissed(events: EventStore, missed: Missed): Promise<void> {
  const { from, now, query, reader, stream } = missed;
  // Numbers of another database, or of one that was begun anew.
  if (from.run > now.run + maxMissed) return stream.write(eventText('gap', { reason: 'unknown' }));
  const all: Replay[] = [];
  const isRead = async <Row extends { readonly seq: number }>(kind: EventKind, source: Source<Row>): Promise<boolean> =>
    await readAll(source, all, kind, stream);
  const { run } = query;
  const isWhole =
    (await isRead('run', {
      after: from.run,
      read: (after, limit) => events.runs(after, limit),
      wants: (row) => reader.wants(row),
      textOf: textOfRun,
    })) &&
    (run === undefined ||
      ((await isRead('task', { after: from.task, read: (after, limit) => events.tasks(run, after, limit), textOf: textOfTask })) &&
        (await isRead('log', { after: from.log, read: (after, limit) => events.logs(run, after, limit), textOf: textOfLog }))));
  if (!isWhole) return stream.write(eventText('gap', { reason: 'old' }));
  for (const { kind, seq, text } of all) reader.replay(kind, seq, text);
}

interface Source<Row> {
  readonly after: number;
  readonly read: (after: number, limit: number) => Promise<NumberedRows<Row>>;
  readonly wants?: (row: Row) => boolean;
  readonly textOf: (row: Row) => string;
}

interface Replay {
  readonly kind: EventKind;
  readonly seq: number;
  readonly text: string;
}

/** Adds all rows after a number to what is replayed; false when it is too much to be sent, or nobody reads any more. */
async function readAll<Row extends { readonly seq: number }>(
  { after, read, wants = () => true, textOf }: Source<Row>,
  all: Replay[],
  kind: EventKind,
  stream: EventStream,
): Promise<boolean> {
  let chars = all.reduce((sum, { text }) => sum + text.length, 0);
  let count = 0;
  for (let from = after; stream.isOpen; ) {
    const { rows, hasMore } = await read(from, pageRows);
    for (const row of rows) {
      if (!wants(row)) continue;
      const text = textOf(row);
      chars += text.length;
      all.push({ kind, seq: row.seq, text });
    }
    count += rows.length;
    if (count > maxMissed || chars > maxWaitingBytes) return false;
    from = rows.at(-1)?.seq ?? from;
    if (!hasMore) return true;
    await letOthersIn();
  }
  return false;
}
