import { expect, test } from 'vitest';
import { patchedRow, whyOf } from '../../../web/src/pages/runs/run-words.ts';
import { filterOf, readRunsSearch, stretchOf } from '../../../web/src/pages/runs/runs-search.ts';
import type { RunEvent, RunRow } from '../../../web/src/api/wire-types.ts';
import { parseSearch, stringifySearch } from '../../../web/src/search.ts';

const now = Date.UTC(2026, 10, 22, 12);

test('filters survive the way through an address, several states and odd characters too', () => {
  const search = { state: ['FAILED', 'Late'], flow: 'a&b=c', search: 'ü "x" +1', last: '7d' as const };
  expect(readRunsSearch(parseSearch(stringifySearch(search)))).toEqual(search);
  expect(stringifySearch({})).toBe('');
});

test('what an address says and nobody understands is left out', () => {
  expect(readRunsSearch(parseSearch('?last=never&since=yesterday&nonsense=1&flow=&state=FAILED'))).toEqual({ state: ['FAILED'] });
});

test('without a stretch it is the last day; "since ever" has no beginning; a chosen one has both ends', () => {
  expect(stretchOf({}, now)).toEqual({ fromAt: now - 86_400_000, untilAt: now });
  expect(stretchOf({ last: 'all' }, now)).toEqual({ fromAt: null, untilAt: now });
  const chosen = { since: '2026-11-21T00:00:00.000Z', until: '2026-11-21T01:00:00.000Z' };
  expect(filterOf(chosen, now)).toMatchObject(chosen);
  expect(filterOf({ last: 'all', flow: 'sync' }, now)).toEqual({ flow: 'sync', since: undefined, until: undefined });
});

const row = {
  state: { type: 'RUNNING', name: 'Running', message: null },
  queue: 'etl',
  error: null,
  startedAt: new Date(now - 10_000).toISOString(),
  endedAt: null,
  dueAt: null,
  scheduledFor: null,
  createdAt: new Date(now - 60_000).toISOString(),
  durationMs: null,
} as unknown as RunRow;

const event = (type: string, name: string): RunEvent =>
  ({ id: 'x', flow: 'f', deployment: null, state: { type, name, message: null }, at: new Date(now).toISOString() }) as RunEvent;

test('an event changes the state of a row, and an end gives its duration', () => {
  expect(patchedRow(row, event('COMPLETED', 'Completed'))).toMatchObject({ durationMs: 10_000, endedAt: new Date(now).toISOString() });
  const again = patchedRow({ ...row, durationMs: 5, endedAt: row.createdAt }, event('RUNNING', 'Retrying'));
  expect(again).toMatchObject({ durationMs: null, endedAt: null, startedAt: row.startedAt });
});

test('a row says why it waits or what it failed of, in one line, and nothing when all is well', () => {
  expect(whyOf(row, now)).toBeNull();
  const failed = {
    ...row,
    state: { type: 'FAILED', name: 'Failed', message: 'Task x failed.' },
    error: { name: 'TypeError', message: 'no\nstack' },
  };
  expect(whyOf(failed as unknown as RunRow, now)).toBe('TypeError: no');
  const waiting = { ...row, startedAt: null, state: { type: 'SCHEDULED', name: 'Scheduled', message: null } } as unknown as RunRow;
  expect(whyOf(waiting, now)).toBe('Waits for a worker of queue etl.');
  expect(whyOf({ ...waiting, dueAt: new Date(now + 60_000).toISOString() }, now)).toBeNull();
});
