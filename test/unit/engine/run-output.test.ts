/** What is kept of the log lines and artifacts of runs, and what is said of the rest. */
import { expect, test } from 'vitest';
import type { TaskContext } from 'batuta';
import { cutData, cutMessage } from '../../../src/engine/run/cut-output.ts';
import type { EngineSettings } from '../../../src/engine/services.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { ownEngine } from '../../support/own-engine.ts';

const kib = 1024;

async function outputOf(work: (ctx: TaskContext) => unknown, settings: Partial<EngineSettings>) {
  const { client, engine, store } = await ownEngine({ settings });
  const { id } = await client.submit(makeFlow({ work: { does: work } }));
  await engine.underWay(id)?.ended;
  // What is said of the whole of it follows the end.
  await new Promise((resolve) => setImmediate(resolve));
  await store.recorder.flush();
  return { lines: await store.logs.ofRun(id), artifacts: await store.artifacts.ofRun(id) };
}

test('a log line is kept to its longest, and says how much was cut', async () => {
  const { lines } = await outputOf(
    ({ log }) => {
      log.warn('x'.repeat(5_000_000));
      log.warn({ large: 'y'.repeat(5_000_000) }, 'fields');
      log.warn({ small: 1 }, 'whole');
    },
    { maxLogLineBytes: 64 * kib },
  );
  expect(lines.map(({ message }) => message.length < 66 * kib)).toEqual([true, true, true]);
  expect(lines[0]?.message).toMatch(/^x+ \[4934464 more characters were cut\]$/);
  expect(lines[1]?.fields).toEqual({ cut: expect.stringMatching(/^50000\d\d characters of fields were left out$/) });
  expect(lines[2]).toMatchObject({ message: 'whole', fields: { small: 1 } });
});

test('what a run logs and shows beyond its most is left out, and a line says how much', async () => {
  const { lines, artifacts } = await outputOf(
    async ({ log, artifact }) => {
      for (let count = 0; count < 100; count++) log.warn('z'.repeat(kib));
      await artifact.markdown('late', 'too late');
    },
    { maxRunLogBytes: 10 * kib },
  );
  const kept = lines.filter(({ message }) => message.startsWith('z'));
  expect(kept.length).toBe(9);
  expect(artifacts).toEqual([]);
  expect(lines.at(-2)?.message).toContain('have reached 10KiB (BATUTA_MAX_RUN_LOG)');
  expect(lines.at(-1)?.message).toBe(
    `91 log lines and 1 artifact of this run were left out, ${91 * (kib + 64 + '{"attempt":1}'.length) + 10} bytes in all.`,
  );
});

test('an artifact is kept to its largest, and says how much was cut', async () => {
  const { artifacts } = await outputOf(
    async ({ artifact }) => {
      await artifact.markdown('text', '# '.padEnd(100_000, 'é'));
      await artifact.table(
        'rows',
        Array.from({ length: 10_000 }, (_, id) => ({ id, name: `row ${id}` })),
      );
      await artifact.json('json', { list: Array.from({ length: 10_000 }, (_, id) => id) });
      await artifact.json('small', { whole: true });
    },
    { maxArtifactBytes: 4 * kib },
  );
  for (const { data } of artifacts) expect(Buffer.byteLength(JSON.stringify(data))).toBeLessThan(4.2 * kib);
  const [text, rows, json, small] = artifacts.map(({ data }): unknown => data);
  expect(text).toMatch(/^# é+\n\n\[\d+ more characters were cut\]$/);
  const listed = rows as readonly unknown[];
  expect(listed[0]).toEqual({ id: 0, name: 'row 0' });
  expect(listed.at(-1)).toEqual({ id: `${10_000 - (listed.length - 1)} more were cut` });
  expect(json).toMatchObject({ cut: { bytes: expect.any(Number), beginning: expect.stringContaining('{"list":[0,1,2') } });
  expect(small).toEqual({ whole: true });
});

test('a cut is never within a character', () => {
  expect(cutMessage('👨‍👩‍👧'.repeat(100), 50)).toMatch(/^(👨‍👩‍👧)* \[\d+ more characters were cut\]$/u);
  expect(cutData('markdown', JSON.stringify('😀'.repeat(1000)), 203).data).toMatch(/^😀*\n\n\[/u);
  expect(cutMessage('é'.repeat(50), 100)).toBe('é'.repeat(50));
});
