/** A filter whose ids may be beginnings or ends, with the whole ids that are meant. */
import { idChars, isIdPart } from '../../model/ids.ts';
import { pickById } from '../../model/pick-by-id.ts';
import { backfillStore } from '../backfills/backfills.ts';
import type { Connection } from '../connection.ts';
import { findRun } from '../runs/find.ts';
import type { RunFilter } from '../store.ts';

/** An id that nothing has stays as it is and fits no run. @throws BatutaError RUN_NOT_FOUND, BACKFILL_NOT_FOUND, FILTER_INVALID (several fit) */
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
