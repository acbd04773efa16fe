/** Stored sums over ended runs: by kind, name, hour or day of creation, and state. */
import type { Database } from '../connection.ts';
import { listed, Params } from '../sql.ts';
import type { StateType } from '../../model/state.ts';
import type { EndedRuns, EndedRunsWish, FigureKind } from './contract.ts';
import type { Durations } from '../../model/duration-ranges.ts';
import { readNumbers } from '../read-json.ts';
import { describeTable, insertListed, integer, json, named, replacedBy, text, time, word, type RowOf } from '../table.ts';
import { dayMs, hourMs, slotsOf, slotText, type Stretch } from './live.ts';
import { jsonText } from '../storable.ts';

/** How far the sums reach: over runs created before one and ended before the other. */
export interface Done {
  readonly createdUntil: number;
  readonly endedUntil: number;
}

/** A sum with its kind and the length of its stretch. */
export interface Sum extends EndedRuns {
  readonly kind: FigureKind;
  readonly span: number;
}

/** Sums of durations as they are stored. */
function durationsOf(text: string): Durations {
  return new Map(Object.entries(readNumbers(text) ?? {}).map(([range, count]) => [Number(range), count]));
}

const sumTable = describeTable('run_figures', {
  kind: word<FigureKind>(),
  name: text,
  span: integer,
  at: time,
  state_type: named('type', word<StateType>()),
  runs: integer,
  timed: integer,
  total_ms: integer,
  durations: json(durationsOf, (durations) => Object.fromEntries(durations)),
});
type SumRow = RowOf<typeof sumTable>;

/** @param lock Blocks every other process that sums up until the transaction ends. */
export async function readDone({ query }: Database, lock = ''): Promise<Done> {
  const [row] = await query<Done>(
    `select created_until as "createdUntil", ended_until as "endedUntil" from run_figures_done where id = 1 ${lock}`,
  );
  return row ?? { createdUntil: 0, endedUntil: 0 };
}

/** Hours whose sums are out of date, oldest first. */
export async function staleHours({ query }: Database, { fromAt, untilAt }: Stretch, limit: number): Promise<number[]> {
  const rows = await query<{ at: number }>('select at from run_figures_stale where at >= $1 and at < $2 order by at limit $3', [
    fromAt,
    untilAt,
    limit,
  ]);
  return rows.map(({ at }) => at);
}

/** Marks the hours in which these runs were created to be summed up again. Inside the transaction that changes the runs. */
export async function markStale({ fragments, query }: Database, runIds: string): Promise<void> {
  await query(
    `insert into run_figures_stale (at)
     select distinct created_at - created_at % ${hourMs} from runs
     where id in ${listed({ fragments }, 1)} and ended_at is not null
       and created_at < (select created_until from run_figures_done where id = 1)
     order by 1 on conflict do nothing`,
    [runIds],
  );
}

/** Sums of a stretch of whole hours, except gaps of whole hours. Days replace their hours if the wish allows it. */
export async function readSums({ query }: Database, wish: EndedRunsWish, stretch: Stretch, gaps: readonly Stretch[]): Promise<Sum[]> {
  const params = new Params();
  const texts = spansOf(wish.by, stretch, gaps).map(({ span, fromAt, untilAt }) => {
    const conditions = [
      `kind = ${params.add(wish.kind)}`,
      ...(wish.name === undefined || wish.kind === 'all' ? [] : [`name = ${params.add(wish.name)}`]),
      `span = ${span} and at >= ${params.add(fromAt)} and at < ${params.add(untilAt)}`,
      ...gaps.map((gap) => `not (at + ${span} > ${gap.fromAt} and at < ${gap.untilAt})`),
    ];
    const at = slotText('at', wish.by);
    return wish.countsOnly
      ? `select kind, name, ${span} as span, ${at} as at, state_type, sum(runs) as runs, 0 as timed, 0 as total_ms, '{}' as durations
         from run_figures where ${conditions.join(' and ')} group by 1, 2, 4, 5`
      : `select kind, name, span, ${at} as at, state_type, runs, timed, total_ms, durations from run_figures where ${conditions.join(' and ')}`;
  });
  const rows = await query<SumRow>(texts.join(' union all '), params.values);
  return rows.map((row) => sumTable.read(wish.countsOnly ? { ...row, runs: Number(row.runs) } : row));
}

/** Whole days, and the hours before, after and around gaps in them. */
function spansOf(by: EndedRunsWish['by'], { fromAt, untilAt }: Stretch, gaps: readonly Stretch[]): (Stretch & { readonly span: number })[] {
  const hours = { span: hourMs, fromAt, untilAt };
  if (by !== 'all' && !isWholeDays(by)) return [hours];
  const firstDay = Math.ceil(fromAt / dayMs) * dayMs;
  const lastDay = Math.floor(untilAt / dayMs) * dayMs;
  if (firstDay >= lastDay) return [hours];
  const torn = new Set(gaps.flatMap((gap) => [gap.fromAt - (gap.fromAt % dayMs), gap.untilAt - 1 - ((gap.untilAt - 1) % dayMs)]));
  const tornDays = [...torn].filter((day) => day >= firstDay && day < lastDay);
  return [
    { span: dayMs, fromAt: firstDay, untilAt: lastDay },
    { ...hours, untilAt: firstDay },
    { ...hours, fromAt: lastDay },
    ...tornDays.map((day) => ({ span: hourMs, fromAt: day, untilAt: day + dayMs })),
  ].filter((span) => span.fromAt < span.untilAt);
}

function isWholeDays(by: Exclude<EndedRunsWish['by'], 'all'>): boolean {
  const { startAt, widthMs } = slotsOf(by);
  return startAt % dayMs === 0 && widthMs % dayMs === 0;
}

/** All sums of a length between two instants. */
export async function readAllSums({ query }: Database, span: number, { fromAt, untilAt }: Stretch): Promise<Sum[]> {
  const kinds: readonly FigureKind[] = ['all', 'flow', 'deployment'];
  const rows = await query<SumRow>(
    `select ${sumTable.list} from run_figures where kind in (${kinds.map((kind) => `'${kind}'`).join(', ')})
       and span = $1 and at >= $2 and at < $3`,
    [span, fromAt, untilAt],
  );
  return rows.map(sumTable.read);
}

/** Replaces sums. */
export async function writeSums({ fragments, query }: Database, sums: readonly Sum[]): Promise<void> {
  if (sums.length === 0) return;
  await query(
    `${insertListed(sumTable, fragments, 1)} on conflict (kind, name, span, at, state_type)
     do update set ${replacedBy(sumTable, 'kind', 'name', 'span', 'at', 'state_type')}`,
    [jsonText(sums.map((sum) => sumTable.values(sum)))],
  );
}
