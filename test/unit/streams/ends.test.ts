/** How streams end and are held up: by what takes their records, by a cancel or by a timeout. Nothing is left open. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { pbkdf2 } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { at, csv } from 'batuta/streams';
import { fakeClock, testFlow } from 'batuta/testing';
import { makeFlow } from '../../support/make-flow.ts';
import { openFiles } from '../../support/open-files.ts';
import { ownEngine } from '../../support/own-engine.ts';

const folder = mkdtempSync(join(tmpdir(), 'batuta-ends-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const isOpen = (path: string): boolean => openFiles().includes(path);

test('an end that stops early has the file of its source closed', async () => {
  const path = join(folder, 'early.csv');
  writeFileSync(path, `id\n${Array.from({ length: 200_000 }, (_, id) => id).join('\n')}\n`);
  async function* rows(): AsyncGenerator<Record<string, string>> {
    yield* csv(path);
  }
  const busy: Promise<unknown>[] = [];
  const first = async (all: AsyncIterable<Record<string, string>>): Promise<string | undefined> => {
    for await (const { id } of all) {
      // Files are closed by threads of Node.js, which have other work first.
      for (let job = 0; job < 8; job++) busy.push(promisify(pbkdf2)('password', 'salt', 50_000, 64, 'sha512'));
      return id;
    }
    return undefined;
  };
  const run = await testFlow(makeFlow({ rows: { does: rows }, first: { needs: ['rows'], does: first } }));
  expect([run.state.name, run.result]).toEqual(['Completed', '0']);
  expect(isOpen(path)).toBe(false);
  await Promise.all(busy);
});

describe('a source that never ends', () => {
  /** Gives records for ever; says when it was closed. */
  const endless = () => {
    const seen = { given: 0, isClosed: false };
    async function* rows(): AsyncGenerator<number> {
      try {
        for (;;) yield seen.given++;
      } finally {
        seen.isClosed = true;
      }
    }
    return { seen, rows };
  };
  const all = async (rows: AsyncIterable<number>): Promise<void> => {
    for await (const _ of rows);
  };

  test('ends when its run is cancelled', async () => {
    const { seen, rows } = endless();
    const stop = new AbortController();
    const take = async (records: AsyncIterable<number>): Promise<void> => {
      for await (const row of records) if (row === 5_000) stop.abort();
    };
    const run = await testFlow(makeFlow({ rows: { does: rows }, take: { needs: ['rows'], does: take } }), {}, { signal: stop.signal });
    run.expectState('Cancelled').expectTask('rows', 'Cancelled').expectTask('take', 'Cancelled');
    expect(seen.isClosed).toBe(true);
  });

  test('ends at the timeout of the task', async () => {
    const { seen, rows } = endless();
    const { client } = await ownEngine();
    const handle = await client.submit(makeFlow({ rows: { does: rows, timeout: '50ms' }, take: { needs: ['rows'], does: all } }));
    await handle.done();
    const { taskRuns } = await client.runs.inspect(handle.id);
    expect(taskRuns.map(({ name, state, error }) => [name, state.name, error?.code])).toEqual([
      ['rows', 'TimedOut', 'TASK_TIMED_OUT'],
      ['take', 'UpstreamFailed', 'STREAM_STOPPED'],
    ]);
    expect(taskRuns[0]?.error?.message).toContain('rows');
    expect(seen.isClosed).toBe(true);
  });

  test('ends when what takes it fails', async () => {
    const { seen, rows } = endless();
    const take = async (records: AsyncIterable<number>): Promise<void> => {
      for await (const row of records) if (row === 5_000) throw new Error('full');
    };
    const run = await testFlow(makeFlow({ rows: { does: rows }, take: { needs: ['rows'], does: take } }));
    run.expectTask('take', 'Failed').expectTask('rows', 'UpstreamFailed');
    expect(seen.isClosed).toBe(true);
  });
});

test('an end that is a thousand times slower than its source holds it up, and is given every record', async () => {
  const clock = fakeClock();
  let given = 0;
  let furthest = 0;
  let taken = 0;
  async function* rows() {
    while (given < 1_000) yield at(given, given++);
  }
  const slow = async (all: AsyncIterable<number>): Promise<number> => {
    for await (const _ of all) {
      furthest = Math.max(furthest, given - taken);
      taken++;
      await clock.sleep('1s');
    }
    return taken;
  };
  const run = await testFlow(makeFlow({ rows: { does: rows, buffer: 16 }, slow: { needs: ['rows'], does: slow } }), {}, { clock });
  expect([run.result, taken]).toEqual([1_000, 1_000]);
  expect(furthest).toBeLessThanOrEqual(18);
});
