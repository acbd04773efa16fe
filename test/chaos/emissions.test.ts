/** What a run gives out whose process is killed again and again: nothing that was recorded is lost, and no recorded task repeats its values. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../support/open-engine.ts';
import { compileProgram, type Program, startProgram } from '../support/run-source.ts';
import type { EmissionsOrder } from './emissions-program.ts';

describe('a run that is killed while it gives out values', () => {
  let program: Program;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'batuta-emissions-'));
    program = await compileProgram(`import './test/chaos/emissions-program.ts';`);
  });
  afterAll(() => {
    program.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([1, 3, 7])(
    'after each %i of them: what the body gives comes once, what a task gives once an attempt, and the last attempt is whole',
    async (each) => {
      const url = `sqlite:${join(folder, `${each}.db`)}`;
      let runId: string | null = null;
      let deaths = 0;
      for (let stdout = ''; !stdout.includes('ended'); deaths++) {
        // One that dies before a task is whole would never end: from the fifth death on the next lives longer.
        const order: EmissionsOrder = { url, runId, diesAfter: deaths < 5 ? each : null };
        const ended = await startProgram(program, [JSON.stringify(order)]).ended;
        ({ stdout } = ended);
        runId ??= /started (\S+)/.exec(stdout)?.[1] ?? null;
        expect([ended.signal, ended.status], ended.stderr).toEqual(stdout.includes('ended') ? [null, 0] : ['SIGKILL', null]);
      }
      expect(deaths).toBeGreaterThan(1);
      const { client, store } = await openEngine({ url });
      try {
        const id = runId ?? '';
        const body: unknown[] = [];
        for await (const { value } of client.runs.emitted(id, 'body')) body.push(value);
        expect(body).toEqual(Array.from({ length: 5 }, (_, step) => `step ${step}`));
        const attempts = new Map<string, number[]>();
        const seqs: number[] = [];
        for await (const { value, taskRunId, attempt, seq } of client.runs.emitted(id, 'tasks')) {
          const key = `${taskRunId} ${attempt}`;
          attempts.set(key, [...(attempts.get(key) ?? []), (value as { n: number }).n]);
          seqs.push(seq);
        }
        for (const given of attempts.values()) expect(given).toEqual([0, 1, 2, 3].slice(0, given.length));
        for (const { id: taskRunId, attempt } of await store.taskRuns.ofRun(id))
          expect(attempts.get(`${taskRunId} ${attempt}`)).toEqual([0, 1, 2, 3]);
        expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
      } finally {
        await client.close();
      }
    },
  );
});
