/** Finds the task run of a run by a part of its id. */
import { idChars, isIdPart } from '../model/ids.ts';
import { pickById } from '../model/pick-by-id.ts';
import type { Store } from '../store/store.ts';

/** The whole id; an unknown one is returned as is. @throws BatutaError NOT_FOUND if several match */
export async function wholeTaskRunId<Id extends string | undefined>(store: Store, runId: string, id: Id): Promise<Id | string> {
  if (id === undefined || id.length >= idChars || !isIdPart(id)) return id;
  const fitting = await store.taskRuns.shown(runId, { idPart: id });
  return pickById(fitting, id, { code: 'NOT_FOUND', plural: 'task runs' }, ({ key }) => key)?.id ?? id;
}
