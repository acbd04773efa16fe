/** Claims that a process keeps: looked after by one chain of timers, and every cancel heard of. */
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { Leases, leasesOfRuns } from '../../../src/engine/lease/leases.ts';
import { LimitWatch } from '../../../src/engine/limits/limit-watch.ts';
import { defaultEngineSettings } from '../../../src/engine/services.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Claim, Store } from '../../../src/store/store.ts';
import { leaseMs, startRun } from '../../contract/store/rows.ts';
import { handClock } from '../../support/hand-clock.ts';
import { gate } from '../../support/make-flow.ts';
import { ownFolder } from '../../support/own-engine.ts';

const log = pino({ level: 'silent' });
const settings = { ...defaultEngineSettings, leaseMs, heartbeatMs: leaseMs / 3, cancelPollMs: 5 };

async function ownStores(count: number): Promise<Store[]> {
  const url = `sqlite:${join(ownFolder(), 'batuta.db')}`;
  const stores: Store[] = [];
  while (stores.length < count) stores.push(await openStore({ url }));
  onTestFinished(async () => {
    for (const store of stores) await store.close();
  });
  return stores;
}

const holderOf = (claim: Claim, onCancel: () => void = () => undefined) => ({ claim, onLost: () => undefined, onCancel });

test('a cancel is heard of although the first look for it fails, and nobody writes again', async () => {
  const [here, there] = await ownStores(2);
  if (!here || !there) throw new Error('There are no stores.');
  const claim = await startRun(here);
  let fails = 1;
  const cancelRequested: Store['runs']['cancelRequested'] = (claims) =>
    fails-- > 0 ? Promise.reject(new Error('busy')) : here.runs.cancelRequested(claims);
  const store = { dataVersion: () => here.dataVersion(), runs: { renew: here.runs.renew, cancelRequested } };
  const leases = new Leases({ store: leasesOfRuns(store), clock: systemClock, log, settings });
  const heard = gate();
  await there.runs.requestCancel(claim.runId, 1, 'enough', () => false);
  leases.hold(holderOf(claim, () => heard.open()));
  await heard.opened;
  leases.release(claim);
  expect(fails).toBeLessThan(0);
});

test('a cancel that was asked for between the claim of a run and its beginning is heard of', async () => {
  const [here, there] = await ownStores(2);
  if (!here || !there) throw new Error('There are no stores.');
  const [first, second] = [await startRun(here), await startRun(here)];
  const looked = gate();
  let looks = 0;
  const cancelRequested: Store['runs']['cancelRequested'] = async (claims) => {
    const asked = await here.runs.cancelRequested(claims);
    if (++looks === 1) looked.open();
    return asked;
  };
  const store = { dataVersion: () => here.dataVersion(), runs: { renew: here.runs.renew, cancelRequested } };
  const leases = new Leases({ store: leasesOfRuns(store), clock: systemClock, log, settings });
  await there.runs.requestCancel(second.runId, 1, 'enough', () => false);
  leases.hold(holderOf(first));
  await looked.opened;
  const heard = gate();
  leases.hold(holderOf(second, () => heard.open()));
  await heard.opened;
  for (const claim of [first, second]) leases.release(claim);
});

test('a cancel of a run is heard of also when a look had seen the store as it is before the run was held', async () => {
  const [here, there] = await ownStores(2);
  if (!here || !there) throw new Error('There are no stores.');
  const [first, second] = [await startRun(here), await startRun(here)];
  await there.runs.requestCancel(second.runId, 1, 'enough', () => false);
  const seen = gate();
  let looks = 0;
  let versions = 0;
  const dataVersion = (): number | null => {
    // A beat after the first look: nothing has changed since.
    if (looks > 0 && ++versions > 1) seen.open();
    return here.dataVersion();
  };
  const cancelRequested: Store['runs']['cancelRequested'] = (claims) => (looks++, here.runs.cancelRequested(claims));
  const leases = new Leases({
    store: leasesOfRuns({ dataVersion, runs: { renew: here.runs.renew, cancelRequested } }),
    clock: systemClock,
    log,
    settings,
  });
  leases.hold(holderOf(first));
  await seen.opened;
  expect(looks).toBe(1);
  const heard = gate();
  leases.hold(holderOf(second, () => heard.open()));
  await heard.opened;
  for (const claim of [first, second]) leases.release(claim);
});

test('one guard looks after the leases, also when all were let go of and new ones held while it looked', async () => {
  const [store] = await ownStores(1);
  if (!store) throw new Error('There is no store.');
  const { clock, timers } = handClock();
  const leases = new Leases({ store: leasesOfRuns(store), clock, log, settings: { ...settings, abortUnrenewed: true } });
  const [first, second] = [await startRun(store), await startRun(store)];
  leases.hold(holderOf(first));
  const guards = () => [...timers.values()].filter(({ ms }) => ms !== settings.cancelPollMs);
  guards()[0]?.fire();
  leases.release(first);
  leases.hold(holderOf(second));
  await new Promise((resolve) => setImmediate(resolve));
  expect(guards()).toHaveLength(1);
  leases.release(second);
  expect(timers.size).toBe(0);
});

test('a database that cannot say whether it has changed ends no process; what waits is looked for all the same', async () => {
  const { clock, timers } = handClock();
  let now = 0;
  const dataVersion = (): number => {
    throw new Error('disk I/O error');
  };
  const watch = new LimitWatch({ store: { dataVersion }, clock: { ...clock, monotonic: () => now }, log, net: async () => undefined });
  let looks = 0;
  const end = watch.begin(async () => void looks++);
  for (const { fire } of [...timers.values()]) fire();
  await new Promise((resolve) => setImmediate(resolve));
  expect(looks).toBe(0);
  now = 1_000;
  for (const { fire } of [...timers.values()]) fire();
  await new Promise((resolve) => setImmediate(resolve));
  expect(looks).toBe(1);
  end();
  expect(timers.size).toBe(0);
});
