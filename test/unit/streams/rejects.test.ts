/** Rejected records whose writing fails, and the position behind them. */
import { describe, expect, test } from 'vitest';
import type { RunAttempt } from '../../../src/engine/run/run-attempt.ts';
import { Rejects } from '../../../src/engine/streams/rejects.ts';
import { SegmentRecord } from '../../../src/engine/streams/segment-record.ts';
import type { Stage } from '../../../src/engine/streams/stage.ts';
import type { DeadLetter } from '../../../src/model/dead-letters.ts';
import { gate } from '../../support/make-flow.ts';

const stage = { definition: { name: 'take' }, position: null } as unknown as Stage;
const refuse = (): Promise<void> => Promise.reject(new Error('the database is away'));

describe('rejected records', () => {
  const rejected = (count: number): Rejects => {
    const rejects = new Rejects();
    for (let n = 0; n < count; n++) rejects.put(n, 'none', stage, 1);
    return rejects;
  };
  const records = (pieces: readonly (readonly DeadLetter[])[]): unknown[] => pieces.flat().map(({ record }) => record);

  test('that could not be written are written by the next call, before those that came after them, and no other is written twice', async () => {
    const rejects = rejected(2_500);
    const written: (readonly DeadLetter[])[] = [];
    const write = async (letters: readonly DeadLetter[]): Promise<void> => void written.push(letters);
    let calls = 0;
    await expect(rejects.keep((letters) => (calls++ === 1 ? refuse() : write(letters)))).rejects.toThrow('the database is away');
    expect([calls, written.flat().length, rejects.isFull]).toEqual([3, 1_500, true]);
    rejects.put(2_500, 'none', stage, 1);
    await rejects.keep(write);
    expect(records(written.slice(2))).toEqual([...Array.from({ length: 1_000 }, (_, at) => 1_000 + at), 2_500]);
    await rejects.keep(write);
    expect(written.flat()).toHaveLength(2_501);
  });

  test('that another call is writing are waited for, and its failure is met', async () => {
    const rejects = rejected(3);
    const hold = gate();
    const first = rejects.keep(async () => {
      await hold.opened;
      await refuse();
    });
    let isKept = false;
    const second = rejects.keep(async () => undefined).finally(() => (isKept = true));
    const both = Promise.allSettled([first, second]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isKept).toBe(false);
    hold.open();
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const written: (readonly DeadLetter[])[] = [];
    await rejects.keep(async (letters) => void written.push(letters));
    expect(records(written)).toEqual([0, 1, 2]);
  });
});

test('a position is not confirmed, nor gone on from, while records before it that any stage has rejected are not kept', async () => {
  const confirmed: string[] = [];
  const settled: unknown[] = [];
  const warned: string[] = [];
  let isAway = true;
  const source = {
    definition: { name: 'rows' },
    confirmed: { position: 9 },
    settle: ({ position }: { readonly position: unknown }) => settled.push(position),
    execution: { keepRejects: async () => undefined },
  };
  const end = { definition: { name: 'take' }, confirmed: null, execution: { keepRejects: () => (isAway ? refuse() : Promise.resolve()) } };
  const active = {
    record: { claim: {} },
    services: {
      clock: { now: () => 0 },
      store: { streams: { confirm: async (_: unknown, { position }: { readonly position: string }) => confirmed.push(position) } },
    },
    log: { warn: (_: unknown, message: string) => warned.push(message) },
  };
  const record = new SegmentRecord(active as unknown as RunAttempt, [source, end] as unknown as Stage[]);
  await record.save();
  expect([confirmed, settled, warned.length]).toEqual([[], [], 1]);
  isAway = false;
  await record.save();
  expect([confirmed, settled, warned.length]).toEqual([['{"json":9}'], [9], 1]);
});
