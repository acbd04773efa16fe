/** Open windows and debounces: moved on by occurrences, ended by the clock. Inside the transaction of a decision. */
import { sourceText, type TriggerFiring } from '../../model/triggers/trigger.ts';
import { byTime, completeSet, debounceDue } from '../../model/triggers/windows.ts';
import type { Database } from '../connection.ts';
import { listed, listOf } from '../sql.ts';
import type { ActiveTrigger, TriggerCause } from './contract.ts';
import { type CauseRow, causeTable } from './tables.ts';

/** What a trigger fires for. */
export interface Ready {
  readonly firingId: string;
  readonly triggerId: string;
  readonly causes: readonly TriggerCause[];
  readonly count: number;
}

type Standing = ReadonlyMap<string, ActiveTrigger>;

interface Group {
  readonly triggerId: string;
  readonly group: string;
  readonly causes: TriggerCause[];
}

interface GroupRow {
  readonly trigger_id: string;
  readonly grp: string;
  readonly first_at: number;
  readonly count: number;
}

const withoutValues = causeTable.columns.map((column) => (column === 'given' ? 'null as given' : column)).join(', ');
/** Windows or debounces ended in one pass. */
const maxOver = 200;
/** Occurrences of one source kept in a window; older ones make room. */
const maxWaiting = 200;

/** Fires the complete windows. */
export async function moveWindows(
  db: Database,
  causes: readonly TriggerCause[],
  standing: Standing,
  makeId: () => string,
): Promise<readonly Ready[]> {
  const ready: Ready[] = [];
  for (const { triggerId, group } of groupsOf(causes)) {
    const rule = standing.get(triggerId)?.rule;
    if (rule === undefined || rule.withinMs === null) continue;
    let open = await openCauses(db, triggerId, group);
    for (
      let set = completeSet(open, rule.sources.length, rule.withinMs);
      set !== null;
      set = completeSet(open, rule.sources.length, rule.withinMs)
    ) {
      const firingId = makeId();
      const chosen = set;
      // What is older than the chosen cause of its source can complete nothing that this has not.
      const isUsed = (one: TriggerCause): boolean => chosen.some((last) => last.source === one.source && byTime(one, last) <= 0);
      const used = open.filter(isUsed);
      await useCauses(db, triggerId, used, firingId);
      const hops = used.reduce((most, one) => Math.max(most, one.hops), 0);
      ready.push({ firingId, triggerId, causes: await withValues(db, triggerId, chosen.toSorted(byTime), hops), count: used.length });
      open = open.filter((one) => !isUsed(one));
    }
    open = await makeRoom(db, triggerId, open);
    await putWindow(db, triggerId, group, open, rule.withinMs);
  }
  return ready;
}

/** Extends debounces from their last cause. */
export async function moveDebounces(db: Database, causes: readonly TriggerCause[], standing: Standing): Promise<void> {
  for (const { triggerId, group, causes: own } of groupsOf(causes)) {
    const debounce = standing.get(triggerId)?.rule.debounce;
    if (!debounce) continue;
    const seen = own.map(({ seenAt }) => seenAt);
    const [row] = await db.query<GroupRow & { readonly last_at: number }>(
      'select trigger_id, grp, first_at, last_at, count from trigger_groups where trigger_id = $1 and grp = $2',
      [triggerId, group],
    );
    const firstAt = Math.min(row?.first_at ?? Infinity, ...seen);
    const lastAt = Math.max(row?.last_at ?? 0, ...seen);
    await putGroup(db, triggerId, group, {
      firstAt,
      lastAt,
      dueAt: debounceDue(debounce, firstAt, lastAt),
      count: Number(row?.count ?? 0) + own.length,
    });
  }
}

/** Debounces of active triggers that have been quiet long enough, or have waited longest. */
export async function quietGroups(
  db: Database,
  standing: Standing,
  before: number,
  makeId: () => string,
): Promise<{ readonly ready: readonly Ready[]; readonly hasMore: boolean }> {
  const over = await groupsOver(db, standing, before, (trigger) => trigger.rule.debounce !== null);
  const ready: Ready[] = [];
  for (const { trigger_id: triggerId, grp, count } of over) {
    const [last] = await db.query<CauseRow & { readonly most_hops: number }>(
      `select ${causeTable.list}, (select max(hops) from trigger_causes where trigger_id = $1 and grp = $2 and firing is null) as most_hops
       from trigger_causes where trigger_id = $1 and grp = $2 and firing is null order by at desc, seen_at desc, cause desc limit 1`,
      [triggerId, grp],
    );
    const firingId = makeId();
    await closeGroup(db, triggerId, grp, firingId);
    if (last !== undefined) ready.push({ firingId, triggerId, causes: [{ ...causeOf(last), hops: last.most_hops }], count: Number(count) });
  }
  return { ready, hasMore: over.length === maxOver };
}

/** Windows that ended before all their sources had occurred. */
export async function expiredGroups(
  db: Database,
  standing: Standing,
  { before, now }: { readonly before: number; readonly now: number },
  makeId: () => string,
): Promise<{ readonly firings: readonly TriggerFiring[]; readonly hasMore: boolean }> {
  const over = await groupsOver(db, standing, before, (trigger) => trigger.rule.withinMs !== null);
  const firings: TriggerFiring[] = [];
  for (const { trigger_id: triggerId, grp } of over) {
    const trigger = standing.get(triggerId);
    const open = await openCauses(db, triggerId, grp);
    const id = makeId();
    await closeGroup(db, triggerId, grp, id);
    const last = open.at(-1);
    if (trigger === undefined || last === undefined) continue;
    const missing = trigger.rule.sources.filter((_, at) => !open.some(({ source }) => source === at)).map(sourceText);
    const { deployment, slug } = trigger;
    const message =
      missing.length === 0 ? 'Its window ended: the occurrences were too far apart.' : `Its window ended without ${missing.join(' and ')}.`;
    firings.push({
      id,
      triggerId,
      deployment,
      slug,
      at: now,
      outcome: 'expired',
      cause: last.label,
      causeId: last.subject,
      count: open.length,
      runId: null,
      message,
    });
  }
  return { firings, hasMore: over.length === maxOver };
}

/** Groups whose time is over, of active triggers of one kind. */
async function groupsOver(
  db: Database,
  standing: Standing,
  before: number,
  isWanted: (trigger: ActiveTrigger) => boolean,
): Promise<readonly GroupRow[]> {
  const ids = [...standing.values()].filter(isWanted).map(({ id }) => id);
  if (ids.length === 0) return [];
  return await db.query<GroupRow>(
    `select trigger_id, grp, first_at, count from trigger_groups where due_at <= $2 and trigger_id in ${listed(db, 1)} order by due_at limit ${maxOver}`,
    [listOf(ids), before],
  );
}

/** Without the values that they pass on: few of many waiting ones fire. */
async function openCauses(db: Database, triggerId: string, group: string): Promise<TriggerCause[]> {
  const rows = await db.query<CauseRow>(
    `select ${withoutValues} from trigger_causes where trigger_id = $1 and grp = $2 and firing is null order by at, cause`,
    [triggerId, group],
  );
  return rows.map(causeOf);
}

/** The causes with the values that they pass on, in a chain of so many triggers. */
async function withValues(
  db: Database,
  triggerId: string,
  causes: readonly TriggerCause[],
  hops: number,
): Promise<readonly TriggerCause[]> {
  const rows = await db.query<Pick<CauseRow, 'cause' | 'given'>>(
    `select cause, given from trigger_causes where trigger_id = $2 and cause in ${listed(db, 1)}`,
    [listOf(causes.map(({ cause }) => cause)), triggerId],
  );
  const values = new Map(rows.map(({ cause, given }) => [cause, given]));
  return causes.map((one) => ({ ...one, hops, given: values.get(one.cause) ?? null }));
}

function causeOf(row: CauseRow): TriggerCause {
  return { ...causeTable.read(row), eventSeq: null };
}

async function useCauses(db: Database, triggerId: string, used: readonly TriggerCause[], firingId: string): Promise<void> {
  await db.query(`update trigger_causes set firing = $3 where trigger_id = $2 and cause in ${listed(db, 1)}`, [
    listOf(used.map(({ cause }) => cause)),
    triggerId,
    firingId,
  ]);
}

/** A source that occurs repeatedly while another does not keeps its newest. */
async function makeRoom(db: Database, triggerId: string, open: readonly TriggerCause[]): Promise<TriggerCause[]> {
  const left = new Map<number, number>();
  for (const { source } of open) left.set(source, (left.get(source) ?? -maxWaiting) + 1);
  const dropped = open.filter(({ source }) => {
    const over = left.get(source) ?? 0;
    left.set(source, over - 1);
    return over > 0;
  });
  if (dropped.length === 0) return [...open];
  await useCauses(db, triggerId, dropped, '');
  return open.filter((one) => !dropped.includes(one));
}

async function putWindow(db: Database, triggerId: string, group: string, open: readonly TriggerCause[], withinMs: number): Promise<void> {
  if (open.length === 0) {
    await db.query('delete from trigger_groups where trigger_id = $1 and grp = $2', [triggerId, group]);
    return;
  }
  const seen = open.map(({ seenAt }) => seenAt);
  const [firstAt, lastAt] = [Math.min(...seen), Math.max(...seen)];
  await putGroup(db, triggerId, group, { firstAt, lastAt, dueAt: lastAt + withinMs, count: open.length });
}

async function putGroup(
  db: Database,
  triggerId: string,
  group: string,
  { firstAt, lastAt, dueAt, count }: { readonly firstAt: number; readonly lastAt: number; readonly dueAt: number; readonly count: number },
): Promise<void> {
  await db.query(
    `insert into trigger_groups (trigger_id, grp, first_at, last_at, due_at, count) values ($1, $2, $3, $4, $5, $6)
     on conflict (trigger_id, grp) do update set first_at = excluded.first_at, last_at = excluded.last_at, due_at = excluded.due_at, count = excluded.count`,
    [triggerId, group, firstAt, lastAt, dueAt, count],
  );
}

async function closeGroup(db: Database, triggerId: string, group: string, firingId: string): Promise<void> {
  await db.query('update trigger_causes set firing = $3 where trigger_id = $1 and grp = $2 and firing is null', [
    triggerId,
    group,
    firingId,
  ]);
  await db.query('delete from trigger_groups where trigger_id = $1 and grp = $2', [triggerId, group]);
}

function groupsOf(causes: readonly TriggerCause[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const cause of causes) {
    const key = `${cause.triggerId} ${cause.group}`;
    const known = groups.get(key);
    if (known) known.causes.push(cause);
    else groups.set(key, { triggerId: cause.triggerId, group: cause.group, causes: [cause] });
  }
  return [...groups.values()];
}
