/**
 * The arguments of a spread task on their way to the worker that executes it.
 *
 * A stored result travels by its name; the rest (an item, an argument of a code flow, a list of mapped results) travels as it is.
 */
import { hidesValues } from '../../base/hidden-values.ts';
import { refuseSecrets } from '../values/refuse-secrets.ts';
import { BatutaError } from '../../base/errors.ts';
import type { TaskContext } from '../../model/context.ts';
import type { TaskDefinition } from '../../model/task.ts';
import type { TaskRunStore } from '../../store/store.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { shared, take } from '../values/given-value.ts';
import type { ResultStorage } from '../results/storage.ts';
import { encodeValue, loadGiven, type StoredValue, storeValue } from '../values/results.ts';
import type { TaskRequest } from '../task/task-request.ts';

interface Inputs {
  /** All arguments; undefined where another list names the place. */
  readonly args: readonly unknown[];
  /** Places of results by the key of their task run. */
  readonly results: readonly (readonly [place: number, key: string])[];
  /** Places of the context. */
  readonly contexts: readonly number[];
}

/** Placeholder for the context while the arguments are packed. */
const contextPlace = Object.freeze({}) as TaskContext;

/** Packs the arguments. @throws BatutaError RESULT_NOT_SERIALIZABLE, STORE_… */
export async function packInputs(active: RunAttempt, request: TaskRequest, storageKey: string): Promise<StoredValue> {
  const results = resultsOf(active, request);
  const places = new Set(results.map(([place]) => place));
  // What travels by its name is not read here.
  const given = request.given
    ? [...request.given.map((one, place) => (places.has(place) ? undefined : take(one))), contextPlace]
    : request.args(contextPlace);
  const contexts = given.flatMap((arg, place) => (arg === contextPlace ? [place] : []));
  const args = given.map((arg, place) => (places.has(place) || arg === contextPlace ? undefined : arg));
  const inputs: Inputs = { args, results, contexts };
  const text = encodeValue(inputs, `inputs of task ${request.key}`);
  if (hidesValues()) refuseSecrets(text, `inputs of the spread task ${request.definition.name}`);
  return storeValue(active.services.results, storageKey, text);
}

/** Unpacks the arguments. @throws BatutaError RESULT_MISSING, STORE_… */
export async function unpackInputs(
  storage: ResultStorage,
  taskRuns: TaskRunStore,
  { runId, definition }: { readonly runId: string; readonly definition: TaskDefinition },
  stored: StoredValue,
): Promise<TaskRequest['args']> {
  const inputs = await loadGiven(storage, stored);
  const { results, contexts } = take(inputs) as Inputs;
  const given = new Map<number, unknown>();
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
    const value = await loadGiven(storage, row);
    // As locally: items of a mapped task share frozen values.
    given.set(place, definition.each === null ? value : shared(value));
  }
  return (context) => {
    const { args } = take(inputs) as Inputs;
    return args.map((arg, place) => (contexts.includes(place) ? context : given.has(place) ? take(given.get(place)) : arg));
  };
}

/** The needs of a graph whose results are each stored as one value. */
function resultsOf({ definition }: RunAttempt, { given, definition: task }: TaskRequest): [number, string][] {
  if (definition.kind === 'code' || !given) return [];
  const { each, needs } = task;
  const first = each === null ? 0 : 1;
  return needs.flatMap((name, at): [number, string][] => {
    const giver = definition.tasks.get(name);
    const travelsByName = giver?.persist === true && giver.each === null && given[first + at] !== undefined;
    return travelsByName ? [[first + at, name]] : [];
  });
}
