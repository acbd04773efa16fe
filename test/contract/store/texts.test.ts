/** Texts of people in every place of the store that takes one, over both makers. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Store } from '../../../src/store/store.ts';
import { deploymentNamed, scheduleOf } from '../../support/deployments.ts';
import { anyText, kept } from '../../support/texts.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { leaseMs, logLine, newRun, owner, ownerNamed, startedAt, taskRun, transitionOf } from './rows.ts';

const poisons = ['c\ud83e', 'a\0b', '\udd16', '\ud83e\ud83e', 'a\\u0000b', 'a\\ud83e', '\\\\\ud83e\\\0'];

describe.each(makers)('texts on $name', ({ makePlace }) => {
  let place: Place;
  let store: Store;

  beforeEach(async () => {
    place = await makePlace();
    store = await place.open();
  });
  afterEach(() => place.remove());

  /** Puts the text wherever a run can hold one, all of it in flushes that an innocent run shares. */
  async function record(text: string): Promise<{ readonly waiting: string; readonly owned: string; readonly innocent: string }> {
    const named = { name: text, tags: [text], concurrencyKey: text, queue: text, params: JSON.stringify({ json: { text } }) };
    const waiting = newRun({ ...named, state: stateOf('SCHEDULED') });
    const other = newRun({ state: stateOf('SCHEDULED'), name: text });
    await store.fleet.insertMany([{ run: waiting, idempotencyKey: text }]);
    await store.fleet.insertMany([
      { run: other, idempotencyKey: null },
      { run: newRun({ name: text, state: stateOf('SCHEDULED') }), idempotencyKey: `${text}2` },
    ]);
    const owned = newRun({ ...named, deployment: text, source: text, flowVersion: text });
    const innocent = newRun();
    const task = { ...taskRun(owned.id, text, { name: text, displayName: text, dependsOn: [text], metrics: { [text]: 1 } }) };
    const error = { name: text, message: text, code: text, stack: text, details: { [text]: text }, cause: null };
    const failed = { ...stateOf('FAILED'), message: text };
    const { recorder } = store;
    const written = [
      recorder.addRun(innocent, owner, leaseMs),
      recorder.addRun(owned, ownerNamed(text), leaseMs),
      recorder.addTaskRun(
        { runId: owned.id, epoch: 1 },
        { ...task, state: failed, error, result: JSON.stringify({ json: text }) },
        { ...transitionOf(task), message: text },
      ),
      recorder.addArtifact(
        { runId: owned.id, epoch: 1 },
        { id: makeId(), runId: owned.id, taskRunId: task.id, kind: 'json', name: text, data: { [text]: text }, createdAt: startedAt },
      ),
      recorder.addLog(logLine(owned.id, text, { fields: { [text]: text } })),
      recorder.addRunPatch({ runId: owned.id, epoch: 1 }, { error, name: text, result: JSON.stringify({ json: text }) }, null),
    ];
    await Promise.all(written);
    return { waiting: waiting.id, owned: owned.id, innocent: innocent.id };
  }

  test.each(poisons)('a run with %j in every field is stored, listed and found, and nothing beside it is held up', async (text) => {
    const { waiting, owned, innocent } = await record(text);
    const { items } = await store.runs.list({ limit: 1000 });
    expect(items.map(({ id }) => id)).toEqual(expect.arrayContaining([waiting, owned, innocent]));
    const run = items.find(({ id }) => id === owned);
    expect(run).toMatchObject({ name: kept(text), tags: [kept(text)], concurrencyKey: kept(text), error: { message: kept(text) } });
    expect(JSON.parse(run?.params ?? '')).toEqual({ json: { text } });
    expect((await store.taskRuns.ofRun(owned))[0]).toMatchObject({ name: kept(text), error: { message: kept(text) } });
    expect((await store.logs.ofRun(owned))[0]).toMatchObject({ message: kept(text), fields: { [kept(text)]: kept(text) } });
    expect((await store.artifacts.ofRun(owned))[0]).toMatchObject({ name: kept(text), data: { [kept(text)]: kept(text) } });
    expect((await store.transitions.ofRun(owned)).map(({ message }) => message)).toContain(kept(text));
    for (const filter of [{ tag: text }, { search: text }, { flow: text }, { deployment: text }, { queue: text }])
      await store.runs.list(filter);
    expect((await store.runs.list({ tag: text })).items.map(({ id }) => id)).toContain(owned);
  });

  test.each(poisons)(
    '%j in the message of a cancel, in signals, limits, keys, flows, workers and the audit is stored and read',
    async (text) => {
      const { waiting } = await record(text);
      expect(await store.signals.send(waiting, text, JSON.stringify({ json: text }), startedAt)).not.toBeNull();
      expect(await store.signals.ofRun(waiting)).toHaveLength(1);
      await store.runs.requestCancel(waiting, startedAt, text);
      expect((await store.runs.get(waiting))?.state.message).toBe(kept(text));
      await store.flows.put({
        name: text,
        version: text,
        description: text,
        tags: [text],
        kind: 'code',
        graph: { [text]: text },
        paramsSchema: { title: text },
        source: text,
        concurrency: { limit: 1, key: text, onConflict: 'queue', byFunction: false },
        updatedAt: startedAt,
      });
      expect((await store.flows.list()).map(({ name }) => name)).toContain(kept(text));
      await store.keys.insert(
        { id: makeId(), name: text, role: 'viewer', createdAt: startedAt, expiresAt: null, revokedAt: null, lastUsedAt: null },
        makeId(),
      );
      expect((await store.keys.list()).map(({ name }) => name)).toContain(kept(text));
      await store.audit.add({ at: startedAt, keyId: null, who: text, action: text, target: text, details: { [text]: text } });
      expect((await store.audit.list({})).items[0]).toMatchObject({ who: kept(text), details: { [kept(text)]: kept(text) } });
    },
  );

  test.each(poisons)('%j in every field of a deployment is stored, listed, and ticks', async (text) => {
    const put = (name: string) => ({
      deployment: deploymentNamed(name, {
        description: text,
        tags: [text],
        runName: text,
        queue: text,
        source: text,
        concurrency: { limit: 1, key: text, onConflict: 'queue' },
      }),
      schedules: [scheduleOf(name, { slug: text, params: JSON.stringify({ json: text }) })],
      graph: { [text]: text },
      spec: { [text]: text },
    });
    expect(await store.deployments.put([put(`d${text}`), put('other')])).toBe(true);
    expect((await store.deployments.list({})).items.map(({ name }) => name)).toEqual(expect.arrayContaining([kept(`d${text}`), 'other']));
    const ticked: string[] = [];
    const report = await store.ticks.claim({ limit: 10, lookAheadMs: 0, missedAfterMs: 0 }, (due) => {
      ticked.push(...due.map(({ deployment }) => deployment.name));
      return due.map(({ deployment, schedule }) => ({
        runs: [
          {
            run: newRun({
              state: stateOf('SCHEDULED'),
              name: text,
              concurrencyKey: text,
              scheduleId: schedule.id,
              deployment: deployment.name,
            }),
            held: false,
          },
        ],
        nextTickAt: null,
      }));
    });
    expect(ticked.sort()).toEqual([kept(`d${text}`), 'other'].sort());
    expect(report.waiting).toHaveLength(2);
  });

  test('any text that JavaScript can make is stored as the same with U+FFFD for what is none', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const { owned, innocent } = await record(text);
        expect(await store.runs.get(owned)).toMatchObject({
          name: kept(text),
          tags: [kept(text)],
          error: { details: { [kept(text)]: kept(text) } },
        });
        expect(await store.runs.get(innocent)).not.toBeNull();
        expect((await store.logs.ofRun(owned))[0]?.message).toBe(kept(text));
      }),
      { numRuns: 40 },
    );
  });
});
