/** Results over 256 KiB in a fleet whose machines share a database and no folder. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isTerminal } from '../../src/model/state.ts';
import { type Fleet, makeFleet } from '../support/fleet.ts';
import { until } from '../support/room.ts';

let fleet: Fleet;
let machines: readonly string[];
beforeEach(async () => {
  machines = ['a', 'b'].map((name) => mkdtempSync(join(tmpdir(), `batuta-machine-${name}-`)));
  // Set to nothing: as where nobody names a place.
  fleet = await makeFleet({ on: 'postgres alone', env: { BATUTA_FLOWS: resolve('test/e2e/large-results-flow.ts'), BATUTA_RESULTS: '' } });
});
afterEach(async () => {
  await fleet.stop();
  for (const machine of machines) rmSync(machine, { recursive: true, force: true });
});

const mib = 1024 * 1024;

test('workers on two machines hand each other large results, and whoever asks has them', async () => {
  const [first = '', second = ''] = machines;
  await fleet.startIn(first, 'worker', '--queue', 'first');
  await fleet.startIn(second, 'worker', '--queue', 'second');
  const { id } = await fleet.client.enqueue('large-results', { mib: 3 }, { queue: 'first' });
  const { store, results } = fleet.client.engine.services;
  await until(async () => isTerminal((await store.runs.get(id))?.state.type ?? 'PENDING'));
  const { run, result, taskRuns } = await fleet.client.runs.inspect(id);
  expect(run.error).toBeNull();
  expect((result as string).length).toBe(3 * mib + 1);
  expect(new Set(taskRuns.map(({ state }) => state.name))).toEqual(new Set(['Completed']));
  for (const machine of machines) expect(existsSync(join(machine, '.batuta', 'results'))).toBe(false);
  const refs = await store.resultRefs(id);
  expect(refs.length).toBeGreaterThan(1);
  await fleet.client.runs.delete(id);
  for (const ref of refs) await expect(results.size(ref)).rejects.toMatchObject({ code: 'RESULT_MISSING' });
});
