/** Where a reader's events are in the store, for readers that continue after earlier ones. */
import type { EventStore, NumberedRows, RunEvent } from '../../store/store.ts';
import { hidesPayloads, type Role } from '../../model/access.ts';
import { type EventKind, textOfLog, textOfRun, textOfTask } from './event-text.ts';
import * as observed from './observed.ts';

export interface EventQuery {
  /** Id of the only run wanted, including its task runs and log lines. */
  readonly run?: string | undefined;
  readonly flow?: string | undefined;
  readonly deployment?: string | undefined;
}

/** A stored event; null if it is not wanted. */
export interface StoredEvent {
  readonly seq: number;
  readonly text: string | null;
}

export interface EventSource {
  readonly kind: EventKind;
  readonly read: (after: number, limit: number) => Promise<NumberedRows<StoredEvent>>;
}

export function wantsRun({ run, flow, deployment }: EventQuery, event: RunEvent): boolean {
  return (
    (run === undefined || run === event.id) &&
    (flow === undefined || flow === event.flow) &&
    (deployment === undefined || deployment === event.deployment)
  );
}

/** One source per kind. @param role of the reader: observers get no log lines, and the rest without payloads */
export function sourcesOf(events: EventStore, query: EventQuery, role: Role): readonly EventSource[] {
  const isObserved = hidesPayloads(role);
  const [runText, taskText] = isObserved ? [observed.textOfRun, observed.textOfTask] : [textOfRun, textOfTask];
  const runs = source(
    'run',
    (after, limit) => events.runs(after, limit),
    (row) => (wantsRun(query, row) ? runText(row) : null),
  );
  const { run } = query;
  if (run === undefined) return [runs];
  const tasks = source('task', (after, limit) => events.tasks(run, after, limit), taskText);
  if (isObserved) return [runs, tasks];
  const logs = source('log', (after, limit) => events.logs(run, after, limit), textOfLog);
  return [runs, tasks, logs];
}

function source<Row extends { readonly seq: number }>(
  kind: EventKind,
  readRows: (after: number, limit: number) => Promise<NumberedRows<Row>>,
  textOf: (row: Row) => string | null,
): EventSource {
  const read: EventSource['read'] = async (after, limit) => {
    const { rows, ...page } = await readRows(after, limit);
    return { ...page, rows: rows.map((row) => ({ seq: row.seq, text: textOf(row) })) };
  };
  return { kind, read };
}
