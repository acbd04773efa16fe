/** What is reported of the life of runs, to whoever listens. */
import { expect, test } from 'vitest';
import { type LifecycleEvent, whenRecorded } from '../../../src/observe/lifecycle.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { ownEngine } from '../../support/own-engine.ts';
import { freeze, hang } from '../../support/take-over.ts';

const shown = ({ step, task, attempt }: LifecycleEvent): string => `${step} ${task ?? 'run'} ${attempt}`;

test('each step of a run and its task runs is reported once, in order, with ids and times, and can be awaited until it is durable', async () => {
  let fails = true;
  const flow = makeFlow(
    {
      first: {
        retries: 1,
        does: () => {
          if (fails) {
            fails = false;
            throw new Error('once');
          }
          return 1;
        },
      },
      second: { needs: ['first'], does: () => 2 },
    },
    { name: 'told' },
  );
  const { client, engine, store } = await ownEngine({ flows: [flow] });
  const events: LifecycleEvent[] = [];
  const stop = engine.services.lifecycle.listen((event) => events.push(event));
  const run = await (await client.submit(flow, {})).done();
  expect(events.map(shown)).toEqual([
    ...['started run 1', 'started first 1', 'retried first 1', 'started first 2', 'ended first 2'],
    ...['started second 1', 'ended second 1', 'ended run 1'],
  ]);
  await Promise.all(events.map(whenRecorded));
  const rows = await store.taskRuns.ofRun(run.id);
  for (const { runId, taskRunId, flow: name, at, startedAt } of events) {
    expect([runId, name, at >= (startedAt ?? at)]).toEqual([run.id, 'told', true]);
    expect([null, ...rows.map(({ id }) => id)]).toContain(taskRunId);
  }
  stop();
  await (await client.submit(flow, {})).done();
  expect(events).toHaveLength(8);
});

test('who goes on with a run that another process has lost reports it as recovered', async () => {
  const told = (hangs: boolean) => makeFlow({ work: { does: () => (hangs ? hang() : 1) } }, { name: 'taken' });
  const { first, handle, openOther } = await freeze(told(true));
  const { client, engine, store } = await openOther({ flows: [told(false)], isOwnerGone: () => true });
  await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [first.engine.services.owner] });
  const events: LifecycleEvent[] = [];
  engine.services.lifecycle.listen((event) => events.push(event));
  await (await client.runs.resume(handle.id)).done();
  expect(events.map(shown)).toEqual([
    'recovered run 1',
    'started run 1',
    'recovered work 1',
    'started work 2',
    'ended work 2',
    'ended run 1',
  ]);
});
