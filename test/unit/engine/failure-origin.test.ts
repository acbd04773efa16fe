/** What is said of a failed run: class, task, attempt, message, causes, place, how many like it. */
import { Flow, Task } from 'batuta';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { failureSentence } from '../../../src/model/failure-sentence.ts';
import type { Run } from '../../../src/model/run.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';

let here: OpenEngine;
beforeEach(async () => {
  here = await openEngine();
});
afterEach(() => here.client.close());

const broken =
  (count = 7) =>
  (): never => {
    throw new TypeError(`cannot read row ${count}\nof many`, { cause: new Error('connect ECONNREFUSED') });
  };

async function failedRun(flow: Parameters<OpenEngine['client']['submit']>[0]): Promise<Run> {
  const handle = await here.client.submit(flow, {});
  return await handle.done();
}

test('a failed run says class, task, attempt, message, causes and the first frame of the code of the user', async () => {
  const run = await failedRun(makeFlow({ fine: {}, join: { needs: ['fine'], retries: 2, retryDelay: 0, does: broken() } }));
  expect(run.error?.origin).toMatchObject({
    task: 'join',
    attempt: 3,
    attempts: 3,
    frame: expect.stringMatching(/failure-origin\.test\.ts:\d+$/),
  });
  expect(failureSentence(run, { time: String })).toMatch(
    /^TypeError in join, attempt 3 of 3: cannot read row 7 · caused by Error: connect ECONNREFUSED · at test\/unit\/engine\/failure-origin\.test\.ts:\d+$/,
  );
});

test('the list, the run and what a person should look at say the same, and count what is alike', async () => {
  for (const count of [1, 22, 333]) await failedRun(makeFlow({ join: { does: broken(count) } }, { name: 'sync' }));
  await failedRun(makeFlow({ other: { does: broken() } }, { name: 'sync' }));
  const last = await failedRun(makeFlow({ join: { does: broken(4) } }, { name: 'sync' }));
  const { figures, runs } = here.client;
  const [row] = (await figures.runs({ flow: 'sync' })).items;
  const { alike, run } = await runs.inspect(last.id);
  expect(alike).toMatchObject({ others: 3 });
  const sentence = failureSentence(run, { alike, time: () => 'then' });
  expect(sentence).toContain(' · 3 more like it since then');
  expect(row && failureSentence(row, { alike: row.alike, time: () => 'then' })).toBe(sentence);
  const [item] = (await figures.overview()).attention;
  expect(item?.failure && failureSentence(item.failure, { alike: item.failure.alike, time: () => 'then' })).toBe(sentence);
  expect(item?.message).toMatch(/^Its last 5 runs failed\. TypeError in join, attempt 1 of 1: cannot read row 4 · /);
});

test('the item that failed is named, and of a code flow the task whose error came out, also as a cause', async () => {
  const mapped = makeFlow({
    list: { does: () => [1, 2, 3] },
    measure: { each: 'list', does: (item: number) => (item === 2 ? broken()() : item) },
  });
  expect((await failedRun(mapped)).error?.origin).toMatchObject({ task: 'measure[1]', attempt: 1 });
  expect((await failedRun(Report)).error).toMatchObject({ message: 'no report', origin: { task: 'load' } });
  expect((await failedRun(Body)).error?.origin).toMatchObject({ task: null, attempt: 1, attempts: 1 });
});

@Flow()
class Report {
  @Task()
  async load(): Promise<number> {
    return broken()();
  }

  async run(): Promise<void> {
    await this.load().catch((error: unknown) => {
      throw new Error('no report', { cause: error });
    });
  }
}

@Flow()
class Body {
  async run(): Promise<void> {
    throw new RangeError('body');
  }
}

test('a run whose error throws when it is looked at fails like any other', async () => {
  const throwing = (): never => {
    throw new Error('looked at');
  };
  const hostile = (): never => {
    throw new Proxy(new Error('x'), { get: throwing, has: throwing, getPrototypeOf: throwing, ownKeys: throwing });
  };
  @Flow({ name: 'hostile' })
  class Hostile {
    async run(): Promise<void> {
      hostile();
    }
  }
  for (const flow of [makeFlow({ join: { does: hostile } }), Hostile]) {
    const { state, error } = await failedRun(flow);
    expect([state.type, error?.message]).toEqual(['FAILED', 'something that has no text']);
  }
});
