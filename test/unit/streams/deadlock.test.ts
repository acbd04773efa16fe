import { describe, expect, test, vi } from 'vitest';
import { fakeClock, testFlow } from 'batuta/testing';
import { tee } from 'batuta/streams';
import { makeFlow } from '../../support/make-flow.ts';

type Rows = AsyncIterable<number>;

const upTo = (count: number) =>
  async function* (): AsyncGenerator<number> {
    for (let row = 0; row < count; row++) yield row;
  };
async function* copy(rows: Rows): AsyncGenerator<number> {
  for await (const row of rows) yield row;
}
async function count(rows: Rows): Promise<number> {
  let total = 0;
  for await (const _ of rows) total++;
  return total;
}

describe('a task that reads two streams of one source', () => {
  const diamond = (rows: number, both: (left: Rows, right: Rows) => Promise<unknown>, buffer?: number) =>
    makeFlow({
      rows: { does: upTo(rows), retries: 3, ...(buffer === undefined ? {} : { buffer }) },
      left: { needs: ['rows'], does: copy },
      right: { needs: ['rows'], does: copy, ...(buffer === undefined ? {} : { buffer }) },
      both: { needs: ['left', 'right'], does: both },
    });
  const oneAfterTheOther = async (left: Rows, right: Rows): Promise<number[]> => [await count(left), await count(right)];

  test('one after the other fails by name, with what to do, and is not tried again', async () => {
    const clock = fakeClock();
    const run = await testFlow(diamond(5_000, oneAfterTheOther), {}, { clock });
    run.expectTask('both', 'Failed', { attempts: 1 }).expectTask('rows', 'UpstreamFailed').expectTask('right', 'UpstreamFailed');
    expect(run.task('both').error).toMatchObject({
      code: 'STREAM_DEADLOCK',
      message: expect.stringMatching(/Task both waits for a record of left and has not begun to read right.*Read both at the same time/),
      details: { task: 'both', reads: 'left', unread: 'right', buffer: 256 },
    });
    expect(clock.elapsedMs).toBeGreaterThanOrEqual(30_000);
    expect(clock.elapsedMs).toBeLessThan(60_000);
  });

  test('of which one is the source itself fails too', async () => {
    const flow = makeFlow({
      rows: { does: upTo(5_000) },
      left: { needs: ['rows'], does: copy },
      both: { needs: ['left', 'rows'], does: oneAfterTheOther },
    });
    const run = await testFlow(flow, {}, { clock: fakeClock() });
    expect(run.task('both').error).toMatchObject({ code: 'STREAM_DEADLOCK', details: { reads: 'left', unread: 'rows' } });
  });

  test('one after the other reads all where the buffer holds them', async () => {
    const run = await testFlow(diamond(5_000, oneAfterTheOther, 10_000), {}, { clock: fakeClock() });
    expect(run.result).toEqual([5_000, 5_000]);
  });

  test('at the same time reads all', async () => {
    const run = await testFlow(
      diamond(5_000, (left, right) => Promise.all([count(left), count(right)])),
      {},
      { clock: fakeClock() },
    );
    expect(run.result).toEqual([5_000, 5_000]);
  });

  test('and is slow, but has begun both, is left alone', async () => {
    const clock = fakeClock();
    const slowly = async (left: Rows, right: Rows): Promise<number[]> => {
      const slow = async (rows: Rows): Promise<number> => {
        let total = 0;
        for await (const _ of rows) if (++total === 1) await clock.sleep('1h');
        return total;
      };
      return await Promise.all([count(left), slow(right)]);
    };
    const run = await testFlow(diamond(2_000, slowly), {}, { clock });
    expect(run.result).toEqual([2_000, 2_000]);
  });

  test('whose source is slow is left alone', async () => {
    const clock = fakeClock();
    async function* slow(): AsyncGenerator<number> {
      for (let row = 0; row < 3; row++) {
        await clock.sleep('10m');
        yield row;
      }
    }
    const flow = makeFlow({
      rows: { does: slow },
      left: { needs: ['rows'], does: copy },
      both: { needs: ['left', 'rows'], does: oneAfterTheOther },
    });
    expect((await testFlow(flow, {}, { clock })).result).toEqual([3, 3]);
  });
});

test('a tee of which one stream is read to its end before the other begins fails, with what to do', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const [first, second] = tee(upTo(1_000)()) as [Rows, Rows];
    const reading = count(first);
    const refused = expect(reading).rejects.toMatchObject({
      code: 'STREAM_DEADLOCK',
      message: expect.stringContaining('Stream 2 of a tee is not read'),
    });
    await vi.advanceTimersByTimeAsync(31_000);
    await refused;
    expect(await count(second)).toBeGreaterThan(255);
  } finally {
    vi.useRealTimers();
  }
});
