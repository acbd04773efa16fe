/** Values that runs give out, over both makers: numbers without gaps, fencing, caps, what is given again, and deletion. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import { refText } from '../../../src/model/result-ref.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { EmissionWrite, NewEmission, Store } from '../../../src/store/store.ts';
import { makers, type Place } from './makers.ts';
import { leaseMs, newRun, owner } from './rows.ts';

const plenty = 1_000_000;

describe.each(makers)('emissions on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  async function begin() {
    const run = newRun();
    await store.recorder.addRun(run, owner, leaseMs);
    const claim = { runId: run.id, epoch: 1, owner };
    const write = (changes: Partial<NewEmission> = {}, by: Partial<typeof claim> = {}): EmissionWrite => ({
      claim: { ...claim, ...by },
      emission: {
        ...{ runId: run.id, stream: 'n', id: null, taskRunId: null, attempt: 1, at: 7, value: '{"json":1}', ref: null, bytes: 100 },
        ...changes,
      },
    });
    return { run, claim, write };
  }

  test('are numbered without gaps in the order in which they are given, and read by stream and page', async () => {
    const { run, write } = await begin();
    const values = Array.from({ length: 5 }, (_, at) => write({ value: `{"json":${at}}`, stream: at === 2 ? 'm' : 'n' }));
    expect(await store.emissions.add(values, plenty)).toEqual(Array.from({ length: 5 }, () => 'kept'));
    const first = await store.emissions.page(run.id, 'n', { limit: 2 });
    expect(first).toMatchObject({
      items: [{ seq: 1, value: '{"json":0}', stream: 'n', at: 7, attempt: 1, taskRunId: null }, { seq: 2 }],
      hasMore: true,
    });
    expect((await store.emissions.page(run.id, 'n', { after: 2 })).items.map(({ seq }) => seq)).toEqual([4, 5]);
    expect(await store.emissions.streams(run.id)).toEqual([
      { stream: 'm', count: 1, newest: 3, at: 7 },
      { stream: 'n', count: 4, newest: 5, at: 7 },
    ]);
    expect(await store.emissions.places([run.id, 'nobody'])).toEqual([{ runId: run.id, newest: 5, isOver: false }]);
    await expect(store.emissions.page(run.id, 'n', { limit: 0 })).rejects.toMatchObject({ code: 'FILTER_INVALID' });
  });

  test('are read by as many as 512 KiB hold, at least one', async () => {
    const { run, write } = await begin();
    const large = write({ value: `{"json":"${'x'.repeat(250 * 1024)}"}` });
    await store.emissions.add([large, large, large, write()], plenty);
    const first = await store.emissions.page(run.id, 'n');
    expect([first.items.length, first.hasMore]).toEqual([2, true]);
    const rest = await store.emissions.page(run.id, 'n', { after: 2 });
    expect([rest.items.length, rest.hasMore]).toEqual([2, false]);
  });

  test('of another owner, an older claim or a run that has ended are refused, beside others that are kept', async () => {
    const { run, claim, write } = await begin();
    const other = await begin();
    expect(
      await store.emissions.add(
        [write({}, { epoch: 2 }), write({}, { owner: { ...owner, id: 'another' } }), other.write(), write({ runId: makeId() })],
        plenty,
      ),
    ).toEqual(['refused', 'refused', 'kept', 'refused']);
    await store.recorder.addRunPatch(claim, { state: stateOf('COMPLETED'), endedAt: 9 }, null);
    expect(await store.emissions.add([write()], plenty)).toEqual(['refused']);
    expect((await store.emissions.page(run.id, 'n')).items).toEqual([]);
    expect(await store.emissions.places([run.id])).toEqual([{ runId: run.id, newest: 0, isOver: true }]);
  });

  test('that may be given again are recorded once', async () => {
    const { run, write } = await begin();
    expect(await store.emissions.add([write({ id: 'a' }), write({ id: 'a' }), write({ id: 'b' })], plenty)).toEqual([
      'kept',
      'kept',
      'kept',
    ]);
    await store.emissions.add([write({ id: 'b' }), write({ id: 'c' })], plenty);
    expect((await store.emissions.page(run.id, 'n')).items.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  test('are no more than their run may have, over all who give them', async () => {
    const { run, write } = await begin();
    expect(await store.emissions.add([write(), write({ bytes: 200 }), write({ bytes: 50 })], 250)).toEqual(['kept', 'full', 'kept']);
    expect(await (await here.open()).emissions.add([write(), write({ bytes: 99 })], 250)).toEqual(['kept', 'full']);
    expect((await store.emissions.page(run.id, 'n')).items).toHaveLength(3);
  });

  test('given by many at once have each a number of its own, and no number is seen before a lower one', async () => {
    const [one, two] = [await begin(), await begin()];
    const others = [store, await here.open(), await here.open()];
    const seen: number[] = [];
    let isOver = false;
    const reader = (async () => {
      for (let after = 0; !isOver || after < 60; ) {
        const { items } = await store.emissions.page(one.run.id, 'n', { after });
        for (const { seq } of items) seen.push(seq);
        after = items.at(-1)?.seq ?? after;
        if (items.length === 0 && isOver) return;
      }
    })();
    await Promise.all(
      others.map(async (by, which) => {
        for (let at = 0; at < 20; at++)
          await by.emissions.add(which === 1 ? [two.write(), one.write()] : [one.write(), two.write()], plenty);
      }),
    );
    isOver = true;
    await reader;
    expect(seen).toEqual(Array.from({ length: 60 }, (_, at) => at + 1));
  });

  test('go with their run, and so do the large ones among them', async () => {
    const { run, claim, write } = await begin();
    const ref = refText(`${run.id}/emission-1`, 300_000, 'a'.repeat(64));
    await store.emissions.add([write({ value: null, ref }), write()], plenty);
    expect(await store.resultRefs(run.id)).toEqual([`${run.id}/emission-1`]);
    expect((await store.emissions.page(run.id, 'n')).items[0]).toMatchObject({ value: null, ref });
    await store.recorder.addRunPatch(claim, { state: stateOf('COMPLETED'), endedAt: 4 }, null);
    await store.runs.delete(run.id);
    expect((await store.emissions.page(run.id, 'n')).items).toEqual([]);
    expect(await store.emissions.streams(run.id)).toEqual([]);
  });

  test('in any text are stored', async () => {
    const { run, write } = await begin();
    const text = JSON.stringify({ json: 'é😀 \u0000 \ud800' });
    await store.emissions.add([write({ value: text })], plenty);
    expect(JSON.parse((await store.emissions.page(run.id, 'n')).items[0]?.value ?? '')).toEqual({ json: expect.stringContaining('é😀') });
  });
});
