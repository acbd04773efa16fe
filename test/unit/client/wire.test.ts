/** The form in which data travels. */
import { expect, test } from 'vitest';
import { fromWire, toWire } from '../../../src/client/wire.ts';

const run = {
  createdAt: 0,
  scheduledFor: 1_000,
  leaseUntil: null,
  params: { startedAt: 5 },
  owner: { id: 'host:1:20', host: 'host', pid: 1, processStartedAt: 20 },
  transitions: [{ at: 86_400_000 }],
};

test('instants travel as ISO 8601 in UTC, and nothing else is touched: neither values of users nor the start of a process', () => {
  const wire = toWire(run);
  expect(wire).toEqual({
    ...run,
    createdAt: '1970-01-01T00:00:00.000Z',
    scheduledFor: '1970-01-01T00:00:01.000Z',
    transitions: [{ at: '1970-01-02T00:00:00.000Z' }],
  });
  expect(fromWire<typeof run>(wire)).toEqual(run);
});
