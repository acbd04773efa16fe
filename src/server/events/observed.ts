/** Events for the role observer: without what may hold a user's data. Log lines have no such form, and are not sent. */
import { z } from 'zod';
import { toWire } from '../../client/wire.ts';
import type { RunEvent, TaskEvent } from '../../store/store.ts';
import { hidePayloads } from '../hide-payloads.ts';
import { at, count, state } from '../schemas/run-answers.ts';
import { runNameBy, word, wordOrNull } from '../schemas/payloads.ts';
import { eventText, type Told } from './event-text.ts';

const runEvent = z.strictObject({
  seq: count,
  id: word,
  name: runNameBy('id'),
  flow: word,
  deployment: wordOrNull,
  state,
  attempt: count,
  at,
} satisfies Record<keyof RunEvent, z.ZodType>);

const taskEvent = z.strictObject({
  seq: count,
  runId: word,
  id: word,
  name: word,
  index: count.nullable(),
  state,
  attempt: count,
  at,
} satisfies Record<keyof TaskEvent, z.ZodType>);

export const textOfRun = (row: RunEvent): string => eventText('run', hidePayloads(runEvent, toWire(row)));
export const textOfTask = (row: TaskEvent): string => eventText('task', hidePayloads(taskEvent, toWire(row)));

const lists = new WeakMap<readonly object[], readonly object[]>();

/** A sent list with the texts for observers; made once per list, so that all of them share its bytes as other roles do. */
export function listOf<Row>(told: readonly Told<Row>[], textOf: (row: Row) => string): readonly Told<Row>[] {
  const known = lists.get(told) as readonly Told<Row>[] | undefined;
  if (known !== undefined) return known;
  const made = told.map(({ row }) => ({ row, text: textOf(row) }));
  lists.set(told, made);
  return made;
}
