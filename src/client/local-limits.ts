/** Limits as the local client serves them. */
import { BatutaError } from '../base/errors.ts';
import { checkRate, type Rate } from '../model/rate.ts';
import { hintFor } from '../base/nearest.ts';
import type { Limits } from '../engine/limits/limits.ts';
import type { RateView, RunLimit, SlotChange, Store, TagLimitView } from '../store/store.ts';
import type { LimitsClient, LimitView } from './fleet-client.ts';
import { isLongerThan } from '../base/cut-text.ts';

/** Most slots of a limit. */
const maxSlots = 1_000_000;
const maxTagChars = 200;

/** @param tell wakes other processes with waiting tasks; best effort */
export function localLimits({ limits, rates }: Store, { tasks }: Limits, tell: () => Promise<void>): LimitsClient {
  const changed = async (change: SlotChange): Promise<void> => {
    tasks.changed(change);
    if (change.owners.length > 0) await tell();
  };
  return {
    async list() {
      const [tags, runs, windows] = await Promise.all([limits.tagLimitViews(), limits.runLimits(), rates.views()]);
      return [...runs.map(viewOfRuns), ...tags.map(viewOfTag), ...windows.map(viewOfRate)].sort((a, b) =>
        a.name === b.name ? Number(a.rate !== undefined) - Number(b.rate !== undefined) : a.name < b.name ? -1 : 1,
      );
    },
    async set(name, slots) {
      checkName(name);
      if (!Number.isSafeInteger(slots) || slots < 0 || slots > maxSlots)
        throw new BatutaError('OPTION_INVALID', `The limit ${name} must be a whole number from 0 to ${maxSlots}, not ${String(slots)}.`, {
          details: { limit: name },
        });
      await changed(await limits.setTagLimit(name, slots));
      const view = (await limits.tagLimitViews()).find((limit) => limit.name === name);
      return view ? viewOfTag(view) : viewOfTag({ name, slots, holders: [], waiters: [], held: 0, waiting: 0 });
    },
    async setRate(name, { limit, per, key }) {
      checkName(name);
      const rate = checkRate(`The rate ${name}`, { limit, per, ...(key === undefined ? {} : { key }) }) as Rate;
      await rates.setTagRate(name, rate);
      const view = (await rates.views()).find((one) => one.name === name && one.base === name);
      return viewOfRate(view ?? { ...rate, name, base: name, used: 0, nextAt: null, waiting: 0, waiters: [] });
    },
    async delete(name, which) {
      const isTags = !/^(flow|deployment):/.test(name);
      const hadRate = isTags && which !== 'slots' && (await rates.deleteTagRate(name));
      const change = isTags && which !== 'rate' ? await limits.deleteTagLimit(name) : null;
      if (change) await changed(change);
      if (change || hadRate) return;
      const names = [...(await limits.tagLimits()), ...(await rates.tagRates())].map((limit) => limit.name);
      const declared = isTags ? '' : ` Limits on runs stand with their flow or deployment; change it there.`;
      throw new BatutaError(
        'LIMIT_NOT_FOUND',
        `There is no limit '${name}' that can be deleted.${declared || hintFor(name, names, 'There are')}`,
        { details: { limit: name } },
      );
    },
  };
}

function checkName(name: string): void {
  if (/^(flow|deployment):/.test(name))
    throw new BatutaError(
      'NAME_INVALID',
      `The limit '${name}' is declared by its flow or deployment: change its option concurrency or rateLimit there. Limits that can be set are on tasks, like tag:db.`,
      { details: { limit: name } },
    );
  const tag = /^tag:(.+)$/u.exec(name)?.[1];
  if (tag !== undefined && !isLongerThan(tag, maxTagChars) && tag.trim() === tag && !/\p{Cc}/u.test(tag)) return;
  throw new BatutaError(
    'NAME_INVALID',
    `'${name}' is not a valid name for a limit: write tag: and the tag of tasks, for example tag:${/^[\w.-]+$/.test(name) ? name : 'db'}.`,
    { details: { limit: name } },
  );
}

function viewOfTag({ name, slots, holders, waiters, held, waiting }: TagLimitView): LimitView {
  return { name, slots, changeable: true, holders, waiters, held, waiting };
}

function viewOfRuns({ name, slots, holders, waiters, held, waiting }: RunLimit): LimitView {
  const withoutTask = (runs: RunLimit['holders']): LimitView['holders'] => runs.map((run) => ({ ...run, taskRunId: null }));
  // No longer declared anywhere: its size is what is in use.
  return { name, slots: slots ?? held, changeable: false, holders: withoutTask(holders), waiters: withoutTask(waiters), held, waiting };
}

function viewOfRate({ name, base, limit, perMs, key, used, nextAt, waiting, waiters }: RateView): LimitView {
  // A single key's rate cannot be changed alone.
  const changeable = base.startsWith('tag:') && name === base;
  return { name, slots: limit, rate: { perMs, key, nextAt }, changeable, holders: [], waiters, held: used, waiting };
}
