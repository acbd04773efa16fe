/** `batuta cache ls|show|clear`: values of tasks that later runs reuse. */
import { formatDuration } from '../../base/duration.ts';
import type { CacheEntryDetails } from '../../client/cache-client.ts';
import { toWire } from '../../client/wire.ts';
import type { CacheEntry, CacheFilter } from '../../store/store.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printDone, printJson, printList } from '../print.ts';
import { readCount, usage } from '../read-options.ts';
import { countOf } from '../render/bar.ts';
import type { Paint } from '../render/shapes.ts';
import type { Column } from '../render/table.ts';
import { localMinute } from '../render/times.ts';
import { oneLine } from '../render/width.ts';

interface FilterOptions extends JsonOption {
  readonly flow?: string;
  readonly task?: string;
  readonly key?: string;
  readonly expired?: boolean;
}

/** Prints the entries, last used first. */
export async function listCache(context: CommandContext, options: FilterOptions & { readonly limit?: string }): Promise<ExitStatus> {
  const limit = options.limit === undefined ? {} : { limit: readCount('--limit', options.limit, { min: 1, max: 1_000 }) };
  const { items, next, totals } = await withClient(context, (client) => client.cache.list({ ...filterOf(options), ...limit }));
  const status = printList(context, items, options, {
    columns,
    cells: (entry, paint) => cellsOf(entry, context.clock.now(), paint),
    json: (entry) => toWire(entry),
    empty: 'Nothing is cached. A task keeps its values with @Task({ cache: "1 hour" }).',
  });
  if (options.json || items.length === 0) return status;
  const more = next === null ? '' : ' There are more; --limit shows up to 1,000.';
  context.terminal.err.line(
    `${countOf(totals.entries)} in the cache: ${countOf(totals.hits)} hits, ${countOf(totals.misses)} misses, ${countOf(totals.waits)} waits.${more}`,
  );
  return status;
}

/** Prints one entry with its value. */
export async function showCache(context: CommandContext, id: string, options: JsonOption): Promise<ExitStatus> {
  const entry = await withClient(context, (client) => client.cache.get(id));
  const { terminal } = context;
  if (options.json) return printJson(terminal, toWire(entry));
  for (const [name, value] of factsOf(entry, context.clock.now())) terminal.out.line(`${name.padEnd(9)} ${oneLine(value)}`);
  return 0;
}

/** Deletes entries; all of them only with `--all`. */
export async function clearCache(context: CommandContext, options: FilterOptions & { readonly all?: boolean }): Promise<ExitStatus> {
  const filter = filterOf(options);
  if (Object.keys(filter).length === 0 && options.all !== true)
    throw usage('Say what to clear: --flow, --task, --key or --expired; --all clears the whole cache.');
  const { entries } = await withClient(context, (client) => client.cache.clear(filter));
  return printDone(
    context.terminal,
    options,
    { entries },
    entries === 0
      ? 'There was nothing to clear.'
      : `Cleared ${countOf(entries)} ${entries === 1 ? 'entry' : 'entries'}; their values are computed again on next use.`,
  );
}

function filterOf({ flow, task, key, expired }: FilterOptions): CacheFilter {
  return {
    ...(flow === undefined ? {} : { flow }),
    ...(task === undefined ? {} : { task }),
    ...(key === undefined ? {} : { key }),
    ...(expired === true ? { expired } : {}),
  };
}

const columns: readonly Column[] = [
  { head: 'id', max: 12 },
  { head: 'flow', max: 30 },
  { head: 'task', max: 30 },
  { head: 'made of', max: 48, drop: 1 },
  { head: 'hits', align: 'right' },
  { head: 'misses', align: 'right', drop: 3 },
  { head: 'waits', align: 'right', drop: 3 },
  { head: 'age', drop: 2 },
  { head: 'ends' },
];

function cellsOf(entry: CacheEntry, now: number, paint: Paint): string[] {
  const { id, flow, task, shown, hits, misses, waits, madeAt } = entry;
  const age = madeAt === null ? '' : formatDuration(Math.max(0, now - madeAt));
  const isOver = entry.expiresAt !== null && entry.expiresAt <= now;
  const ends = endOf(entry, now);
  return [
    ...[id.slice(0, 12), oneLine(flow), oneLine(task), oneLine(shown), String(hits), String(misses), String(waits), age],
    isOver ? paint.dim(ends) : ends,
  ];
}

function endOf({ madeAt, expiresAt, makingRunId }: CacheEntry, now: number): string {
  if (madeAt === null) return makingRunId === null ? 'no value' : 'being made';
  if (expiresAt === null) return 'never';
  return expiresAt <= now ? 'over' : `in ${formatDuration(expiresAt - now)}`;
}

function factsOf(entry: CacheEntryDetails, now: number): [string, string][] {
  const { madeAt, runId, taskRunId, makingRunId, result, isLarge, bytes } = entry;
  const value = isLarge ? 'over 256 KiB, in the result storage' : result === null ? '' : JSON.stringify(result.json);
  return [
    ['entry', entry.id],
    ['task', `${entry.flow}.${entry.task}, version ${entry.version}`],
    ['made of', entry.shown],
    ['scope', entry.scopeRunId === null ? 'all runs' : `run ${entry.scopeRunId}`],
    ['made', madeAt === null ? 'not yet' : `${localMinute(madeAt)} by run ${runId ?? ''}, task run ${taskRunId ?? ''}`],
    ['ends', endOf(entry, now)],
    [
      'used',
      `${countOf(entry.hits)} hits, ${countOf(entry.misses)} misses, ${countOf(entry.waits)} waits, last ${localMinute(entry.usedAt)}`,
    ],
    ...(makingRunId === null ? [] : [['making', `run ${makingRunId}`] as [string, string]]),
    ['value', `${value}${bytes === null || isLarge ? '' : ` (${countOf(bytes)} bytes)`}`],
  ];
}
