/**
 * Pinned runs while a new version is rolled out: under load, workers killed and replaced one by one, runs suspended, tasks tried again, spread, in
 * threads, and sub-flows. Each pinned run ends on the version it began with, by a ledger that nothing of Batuta reads.
 *
 * `CHAOS_RUNS` makes it longer.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { runCount, seed, timeoutMs } from '../support/chaos.ts';
import { seededRandom } from '../support/faulty-broker.ts';
import { ends } from '../support/fleet-record.ts';
import { type Fleet, makeFleet, type Member } from '../support/fleet.ts';
import { makeFlowFolders, type VersionName } from '../support/pinned-flows.ts';

const closing: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Rollout {
  readonly fleet: Fleet;
  readonly folders: ReturnType<typeof makeFlowFolders>;
  startWorker(version: VersionName): Promise<Member>;
  /** Half of them pinned; gives their ids. */
  submit(count: number): Promise<{ readonly pinned: readonly string[]; readonly continuing: readonly string[] }>;
}

async function openRollout(on: 'sqlite' | 'postgres and redis'): Promise<Rollout> {
  const folders = makeFlowFolders();
  closing.push(folders.remove);
  const env = { BATUTA_FLOWS: folders.folderOf('old'), BATUTA_MAX_RECOVERIES: '1000' };
  const fleet = await makeFleet({ on, leaseMs: 2_000, env });
  closing.push(() => fleet.stop());
  let born = 0;
  const params = { ledger: fleet.ledger };
  return {
    ...{ fleet, folders },
    startWorker: (version) =>
      fleet.start('worker', '--flows', folders.folderOf(version), '--name', `${version}-${++born}`, '--concurrency', '6'),
    async submit(count) {
      const runs = Array.from({ length: Math.ceil(count / 2) }, () => ({ params }));
      const [pinned, continuing] = [
        await fleet.client.enqueueMany('pinned-orders', runs),
        await fleet.client.enqueueMany('continuing-orders', runs),
      ];
      return { pinned, continuing };
    },
  };
}

/** Versions of which runs have executed tasks of their own, or those of their sub-flow, which is a run for itself. By the run or its caller. */
function versionsIn(fleet: Fleet, of: 'run' | 'sub-flow' = 'run'): ReadonlyMap<string, ReadonlySet<string>> {
  const versions = new Map<string, Set<string>>();
  for (const { run, task, what } of fleet.readLedger())
    if (task.startsWith('child') === (of === 'sub-flow')) versions.set(run, (versions.get(run) ?? new Set()).add(what));
  return versions;
}

describe(`seed ${seed}`, () => {
  test(
    'a rolling deploy under load: each pinned run ends on the version it began with, and waits where nobody has that',
    async () => {
      const random = seededRandom(seed);
      const { fleet, startWorker, submit } = await openRollout('postgres and redis');
      const { client } = fleet;
      await fleet.start('scheduler');
      const workers = await Promise.all(Array.from({ length: 3 }, () => startWorker('old')));
      let beside = await startWorker('old');
      const early = await submit(runCount / 3);
      const earlyIds = [...early.pinned, ...early.continuing];
      const begun = (ids: readonly string[]): boolean => ids.every((id) => versionsIn(fleet).has(id));
      await expect.poll(() => begun(earlyIds), { timeout: timeoutMs }).toBe(true);
      // Half of those go on while workers are replaced, the others once none has their version.
      const pinnedLate = early.pinned.filter((_, at) => at % 2 === 0);
      const continuingLate = early.continuing.filter((_, at) => at % 2 === 0);
      const soon = earlyIds.filter((id) => !pinnedLate.includes(id) && !continuingLate.includes(id));
      const later: string[] = [];
      const pinned = [...early.pinned];
      const continuing = [...early.continuing];
      for (const at of workers.keys()) {
        const more = await submit(runCount / 6);
        pinned.push(...more.pinned);
        continuing.push(...more.continuing);
        later.push(...more.pinned, ...more.continuing);
        for (const id of soon.splice(0, Math.ceil(soon.length / (workers.length - at)))) await client.runs.signal(id, 'go');
        await workers[at]?.end(random() < 0.5 ? 'SIGKILL' : 'SIGTERM');
        workers[at] = await startWorker('new');
        if (random() < 0.5) {
          await beside.end('SIGKILL');
          beside = await startWorker('old');
        }
        for (const id of later.splice(0, Math.floor(later.length / 2))) await client.runs.signal(id, 'go');
      }
      const last = await submit(runCount / 6);
      pinned.push(...last.pinned);
      continuing.push(...last.continuing);
      for (const id of [...later, ...last.pinned, ...last.continuing]) await client.runs.signal(id, 'go');
      await ends(
        fleet,
        earlyIds.filter((id) => !pinnedLate.includes(id) && !continuingLate.includes(id)),
      );

      await beside.end('SIGKILL');
      const noted = fleet.readLedger().filter(({ run }) => pinnedLate.includes(run)).length;
      for (const id of [...pinnedLate, ...continuingLate]) await client.runs.signal(id, 'go');
      const whys = async (): Promise<unknown[]> => Promise.all(pinnedLate.map(async (id) => (await client.runs.why(id))?.kind));
      await expect.poll(whys, { timeout: timeoutMs }).toEqual(pinnedLate.map(() => 'pinned'));
      const epochs = async (): Promise<number[]> => Promise.all(pinnedLate.map(async (id) => (await client.runs.inspect(id)).run.epoch));
      const isParked = async (): Promise<boolean> =>
        (await Promise.all(pinnedLate.map((id) => client.runs.inspect(id)))).every(({ run }) =>
          run.state.message?.includes('to which it is pinned'),
        );
      await expect.poll(isParked, { timeout: timeoutMs }).toBe(true);
      const epochsBefore = await epochs();
      await ends(fleet, continuingLate);
      expect(await epochs()).toEqual(epochsBefore);
      expect(fleet.readLedger().filter(({ run }) => pinnedLate.includes(run))).toHaveLength(noted);
      const stuck = await client.runs.inspect(pinnedLate[0] ?? '');
      expect(stuck.pin).toMatchObject({ version: stuck.run.flowVersion, workers: 0 });

      await startWorker('old');
      const ended = await ends(fleet, [...pinned, ...continuing]);
      expect(ended.filter(({ state }) => state.name !== 'Completed').map(({ id, state, error }) => [id, state, error])).toEqual([]);
      const seen = versionsIn(fleet);
      expect(pinned.filter((id) => seen.get(id)?.size !== 1).map((id) => [id, ...(seen.get(id) ?? [])])).toEqual([]);
      const versions = new Map(
        (await client.figures.workers()).map(({ name, flows }) => [name.split('-')[0], flows['pinned-orders']] as const),
      );
      expect(new Set(versions.values()).size).toBe(2);
      const results = await Promise.all(pinned.map((id) => client.runs.inspect(id)));
      // Sub-flows are pinned for themselves: one whose caller was killed before it began may begin with another version.
      const below = versionsIn(fleet, 'sub-flow');
      expect([...pinned, ...continuing].filter((id) => below.get(id)?.size !== 1)).toEqual([]);
      for (const { run, result, children } of results) {
        const [version = ''] = seen.get(run.id) ?? [];
        const [versionBelow = ''] = below.get(run.id) ?? [];
        expect(result).toEqual([...Array.from({ length: 5 }, () => version), versionBelow, versionBelow, version]);
        expect(run.flowVersion).toBe(versions.get(version));
        expect(children.map(({ state }) => state.name)).toEqual(['Completed']);
      }
      // Else nothing was rolled out under them.
      const counts = { old: 0, new: 0, changed: 0 };
      for (const id of pinned) counts[seen.get(id)?.has('old') ? 'old' : 'new'] += 1;
      for (const id of continuing) if (seen.get(id)?.size === 2) counts.changed += 1;
      expect(Math.min(counts.old, counts.new, counts.changed)).toBeGreaterThan(0);
      process.stdout.write(
        `${pinned.length} pinned runs: ${counts.old} old, ${counts.new} new; ${counts.changed} others changed their version\n`,
      );
    },
    3 * timeoutMs,
  );

  test(
    'a file that changes under a worker changes nothing of the pinned runs that it has',
    async () => {
      const { fleet, folders, startWorker } = await openRollout('sqlite');
      await startWorker('old');
      const { id } = await fleet.client.enqueue('pinned-orders', { ledger: fleet.ledger });
      await expect.poll(() => versionsIn(fleet).get(id)?.size, { timeout: timeoutMs }).toBe(1);
      folders.write(folders.folderOf('old'), 'new');
      await fleet.client.runs.signal(id, 'go');
      await ends(fleet, [id]);
      expect([...(versionsIn(fleet).get(id) ?? [])]).toEqual(['old']);
    },
    timeoutMs,
  );
});
