/** The tables of events and triggers. */
import type { EmittedEvent, FiringOutcome, TriggerRule } from '../../model/triggers/trigger.ts';
import { readFields } from '../read-json.ts';
import { describeTable, integer, json, named, type RowOf, text, textOrNull, time, word } from '../table.ts';

export const eventTable = describeTable('events', {
  id: text,
  name: text,
  payload: textOrNull,
  source: textOrNull,
  at: time,
  received_at: time,
  caller_run_id: textOrNull,
  traceparent: textOrNull,
});
export type EventRow = RowOf<typeof eventTable>;
export const eventOf: (row: EventRow) => EmittedEvent = eventTable.read;

/** An unreadable rule fires for nothing. */
const unreadable: TriggerRule = {
  sources: [],
  where: {},
  tags: [],
  params: {},
  withinMs: null,
  debounce: null,
  by: null,
  backfills: false,
};

export const triggerTable = describeTable('triggers', {
  id: text,
  deployment: text,
  slug: text,
  rule: json((written) => {
    const read = readFields<TriggerRule>(written);
    return Array.isArray(read?.sources) ? { ...unreadable, ...read } : unreadable;
  }),
  created_at: time,
});
export type TriggerRow = RowOf<typeof triggerTable>;

export const causeTable = describeTable('trigger_causes', {
  trigger_id: text,
  cause: text,
  source: integer,
  grp: named('group', text),
  label: text,
  subject: text,
  at: time,
  seen_at: time,
  hops: integer,
  caller_run_id: textOrNull,
  traceparent: textOrNull,
  given: textOrNull,
  fault: textOrNull,
});
export type CauseRow = RowOf<typeof causeTable>;

export const firingTable = describeTable('trigger_firings', {
  id: text,
  trigger_id: text,
  deployment: text,
  slug: text,
  at: time,
  outcome: word<FiringOutcome>(),
  cause: text,
  cause_id: text,
  count: integer,
  run_id: textOrNull,
  message: textOrNull,
});
