/**
 * The arguments of a spread task on their way to the worker that executes it.
 *
 * A result that stands in the store travels by its name; the rest (an item, an argument of a code flow, a list of mapped results)
 * travels as it is.
 */
import { BatutaError } from '../base/errors.ts';
import type { TaskContext } from '../model/context.ts';
import type { TaskRunStore } from '../store/store.ts';
import type { ActiveRun } from './active-run.ts';
import type { TaskRequest } from './begin-attempt.ts';
import { encodeValue, loadValue, type ResultStorage, type StoredValue, storeValue } from './results.ts';

interface Inputs {
  /** All arguments; undefined where another list names the place. */
  readonly args: readonly unknown[];
  /** Places of results by the key of their task run. */
  readonly results: readonly (readonly [place: number, key: string])[];
  /** Places of the context. */
  readonly contexts: readonly number[];
}

/** Stands for the context while the arguments are made ready. */
const contextPlace = Object.freeze({}) as TaskContext;

/** Makes the arguments ready to travel. @throws BatutaError RESULT_NOT_SERIALIZABLE, STORE_… */
export async function packInputs(active: ActiveRun, request: TaskRequest, storageKey: string): Promise<StoredValue> {
  const given = request.args(contextPlace);
  const results = resultsOf(active, request, given);
  const places = new Set(results.map(([place]) => place));
  const contexts = given.flatMap((arg, place) => (arg === contextPlace ? [place] : []));
  const args = given.map((arg, place) => (places.has(place) || arg === contextPlace ? undefined : arg));
  const inputs: Inputs = { args, results, contexts };
  return storeValue(active.services.results, storageKey, encodeValue(inputs, `inputs of task ${request.key}`));
}

/** Makes the arguments of what travelled. @throws BatutaError RESULT_MISSING, STORE_… */
export async function unpackInputs(
  storage: ResultStorage,
  taskRuns: TaskRunStore,
  runId: string,
  stored: StoredValue,
): Promise<TaskRequest['args']> {
  const { args, results, contexts } = (await loadValue(storage, stored)) as Inputs;
  const given = [...args];
  const rows = await taskRuns.byKeys(
    runId,
    results.map(([, key]) => key),
  );
  for (const [place, key] of results) {
    const row = rows.find((one) => one.key === key);
    if (row?.state.type !== 'COMPLETED')
      throw new BatutaError('RESULT_MISSING', `The result of ${key} is not recorded any more. Retry the task that made it.`, {
        details: { key },
      });
    given[place] = await loadValue(storage, row);
  }
  return (context) => given.map((arg, place) => (contexts.includes(place) ? context : arg));
}

/** The needs of a graph whose results stand in the store as one value. */
function resultsOf({ definition }: ActiveRun, request: TaskRequest, given: readonly unknown[]): [number, string][] {
  if (definition.kind === 'code') return [];
  const { each, needs } = request.definition;
  const first = each === null ? 0 : 1;
  return needs.flatMap((name, at): [number, string][] => {
    const giver = definition.tasks.get(name);
    const travelsByName = giver?.persist === true && giver.each === null && given[first + at] !== undefined;
    return travelsByName ? [[first + at, name]] : [];
  });
}
