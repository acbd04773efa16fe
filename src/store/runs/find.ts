/** Reading runs: by an id or a part of it, by parent. */
import { endingRunsText, endValuesOf, idRangeOf } from '../id-part.ts';
import { idChars, isIdPart } from '../../model/ids.ts';
import { ambiguousId, maxCandidates, pickById } from '../../model/pick-by-id.ts';
import type { Run } from '../../model/run.ts';
import type { Connection } from '../connection.ts';
import { type RunRow, runOf, runTable } from '../tables.ts';
import { backfillStore } from '../backfills/backfills.ts';
import type { RunFilter } from '../store.ts';

const columns = runTable.list;
/** Counting stops here if a beginning fits very many. */
const maxCounted = 1_000;

/**
 * The run with this id; or the one whose id begins or ends like this, at least 4 characters. Null if there is none.
 *
 * @throws BatutaError RUN_NOT_FOUND if several fit, naming some of them.
 */
export async function findRun(connection: Connection, typed: string): Promise<Run | null> {
  const exact = await connection.query<RunRow>(`select ${columns} from runs where id = $1`, [typed]);
  const [whole] = exact;
  if (whole !== undefined) return runOf(whole);
  if (typed.length >= idChars || !isIdPart(typed)) return null;
  const fitting = fittingText(connection, typed);
  const order = `order by id desc limit ${maxCandidates}`;
  const rows = await connection.query<RunRow>(`select ${columns} from runs where id in (${fitting.text(order)}) ${order}`, fitting.values);
  const [first, second] = rows;
  if (first === undefined) return null;
  if (second === undefined) return runOf(first);
  const counted = `select count(*) as count from (${fitting.text(`limit ${maxCounted + 1}`)}) as fitting`;
  const [row] = await connection.query<{ count: number }>(counted, fitting.values);
  const count = Number(row?.count ?? 0);
  const candidates = rows.map(({ id, name, flow }) => ({ id, label: `${name} of ${flow}` }));
  throw ambiguousId({ code: 'RUN_NOT_FOUND', plural: 'runs' }, typed, candidates, count > maxCounted ? null : count);
}

/** Two queries, each by its own index: the beginning by the key, the end by its last characters. */
function fittingText(connection: Connection, typed: string): { readonly text: (end: string) => string; readonly values: string[] } {
  const { from, to } = idRangeOf(typed);
  const begins = (end: string): string => `select * from (select id from runs where id >= $1 and id < $2 ${end}) as beginning`;
  const ends = endingRunsText(connection, typed, ['$3', '$4']);
  return {
    text: (end) => `${begins(end)} union select * from (${ends}) as ending`,
    values: [from, to, ...endValuesOf(typed)],
  };
}

/** See `RunStore.children`. */
export async function childRuns(connection: Connection, parentRunId: string): Promise<readonly Run[]> {
  const text = `select ${runTable.list} from runs where parent_run_id = $1 order by created_at, id`;
  return (await connection.query<RunRow>(text, [parentRunId])).map(runOf);
}

/** An unknown id stays as it is and fits no run. @throws BatutaError RUN_NOT_FOUND, BACKFILL_NOT_FOUND, FILTER_INVALID (several fit) */
export async function withWholeIds(connection: Connection, filter: RunFilter): Promise<RunFilter> {
  const { parentRunId, backfillId, scheduleId } = filter;
  if (!isPart(parentRunId) && !isPart(backfillId) && !isPart(scheduleId)) return filter;
  const parent = isPart(parentRunId) ? (await findRun(connection, parentRunId))?.id : undefined;
  const backfill = isPart(backfillId) ? (await backfillStore(connection).get(backfillId))?.id : undefined;
  const schedule = isPart(scheduleId) ? await scheduleOf(connection, scheduleId) : undefined;
  return {
    ...filter,
    ...(parent === undefined ? {} : { parentRunId: parent }),
    ...(backfill === undefined ? {} : { backfillId: backfill }),
    ...(schedule === undefined ? {} : { scheduleId: schedule }),
  };
}

async function scheduleOf({ query }: Connection, part: string): Promise<string | undefined> {
  const schedules = await query<{ id: string; deployment: string; slug: string }>('select id, deployment, slug from schedules');
  const kind = { code: 'FILTER_INVALID', plural: 'schedules' } as const;
  return pickById(schedules, part, kind, ({ deployment, slug }) => `${slug} of ${deployment}`)?.id;
}

function isPart(id: string | null | undefined): id is string {
  return typeof id === 'string' && id.length < idChars && isIdPart(id);
}
