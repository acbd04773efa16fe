/** Why a run of a schedule does not run: earlier ticks, and pauses. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import type { Run } from '../../src/model/run.ts';
import { endRun } from '../contract/store/rows.ts';
import { claimTicks, deploy, hourMs, runsOf, takeRun } from '../contract/store/ticking.ts';
import { openEngine, type OpenEngine } from '../support/open-engine.ts';

let at: OpenEngine;

beforeEach(async () => {
  at = await openEngine();
});

afterEach(() => at.client.close({ graceMs: 0 }));

const why = (id: string) => at.client.runs.why(id);

describe('why a run of a schedule does not run', () => {
  test('runs of earlier ticks, as they are now, and a pause of its deployment', async () => {
    const tick = systemClock.now() - 2 * hourMs;
    await deploy(at.store, 'nightly', tick, { overlap: 'buffer-all', catchup: 'all', catchupWindowMs: 5 * hourMs });
    await claimTicks(at.store);
    const [first, second, third] = await runsOf(at.store, 'nightly');
    const before = (run: Run | undefined): string => `${run?.name} of ${new Date(run?.scheduledFor ?? 0).toISOString()}`;
    expect(await why(third?.id ?? '')).toEqual({
      kind: 'overlap',
      message: `Waits until the run ${before(first)} and 1 other before it have ended.`,
      untilAt: null,
      holders: [first?.id],
    });
    await endRun(at.store, await takeRun(at.store, first?.id ?? ''));
    expect((await why(third?.id ?? ''))?.message).toBe(`Waits until the run ${before(second)} has ended.`);
    await at.client.deployments.pause('nightly');
    expect(await why(second?.id ?? '')).toMatchObject({
      kind: 'paused',
      message: expect.stringMatching(/^Its deployment nightly has been paused since .*Z: npx batuta deployment resume nightly\.$/),
    });
    expect((await why(third?.id ?? ''))?.message).toContain(`Waits until the run ${before(second)} has ended.`);
    await at.client.deployments.resume('nightly');
    expect(await why(second?.id ?? '')).toMatchObject({ kind: 'starting' });
  });

  test('a pause of its schedule, by its name', async () => {
    const tick = systemClock.now() - 2 * hourMs;
    await deploy(at.store, 'nightly', tick, { overlap: 'buffer-all', catchup: 'all', catchupWindowMs: 5 * hourMs }, { slug: 'early' });
    await claimTicks(at.store);
    const [first, second] = await runsOf(at.store, 'nightly');
    await at.client.deployments.pause('nightly', 'early');
    const paused = /^Its schedule early of nightly has been paused since .*Z: npx batuta deployment resume nightly --schedule early\./;
    expect(await why(second?.id ?? '')).toMatchObject({ kind: 'paused', message: expect.stringMatching(paused), holders: [first?.id] });
    await endRun(at.store, await takeRun(at.store, first?.id ?? ''));
    expect(await why(second?.id ?? '')).toMatchObject({ kind: 'paused', message: expect.stringMatching(paused), holders: [] });
    await at.client.deployments.resume('nightly', 'early');
    expect(await why(second?.id ?? '')).toMatchObject({ kind: 'starting' });
  });
});
