/** The option `rollback` of `@Task`: which method undoes which task, and with what options. */
import { hintFor } from '../base/nearest.ts';
import type { TaskDefinition } from '../model/task.ts';
import { classNameOf, declaredTask } from './declaration.ts';
import { type AnyClass, type Method, readBare, type TaskRecord } from './metadata.ts';
import { OptionReader, refuse } from './options.ts';

/** A task as declared, with its declaring class. */
export interface DeclaredTask {
  readonly record: TaskRecord;
  readonly declaredBy: AnyClass;
}

/** Options meaningless for a method that undoes a task. */
const unasked = ['after', 'each', 'eachLimit', 'when', 'trigger', 'cache', 'rollback', 'spread', 'queue', 'persist'] as const;

/** Names of undo methods: those are not tasks of a graph. */
export function undoNames(tasks: Iterable<DeclaredTask>): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { record } of tasks) {
    const { rollback } = record.options;
    if (typeof rollback === 'string' && rollback !== record.name) names.add(rollback);
  }
  return names;
}

/**
 * What undoes a task; null if nothing does.
 *
 * @param methods those of instances
 * @throws BatutaError OPTION_INVALID, NEED_UNKNOWN
 */
export function rollbackOf(
  { record, declaredBy }: DeclaredTask,
  tasks: ReadonlyMap<string, DeclaredTask>,
  methods: ReadonlyMap<string, Method>,
): TaskDefinition | null {
  const className = classNameOf(declaredBy);
  const place = `${className}.${record.name}`;
  const name = new OptionReader(place, record.options).text('rollback');
  if (name === undefined) return null;
  if (record.options.persist === false)
    throw refuse(
      'OPTION_INVALID',
      place,
      ': rollback does not go with persist: false, for the result has to be there when the task is undone.',
    );
  const method = methods.get(name);
  if (method === undefined || name === record.name || name === 'run') {
    const why = name === record.name ? 'the task itself' : `which is no method of ${className} that could undo it`;
    throw refuse('NEED_UNKNOWN', place, `: rollback names '${name}', ${why}.${hintFor(name, [...methods.keys()], 'The methods are')}`);
  }
  const own = tasks.get(name);
  if (own !== undefined) checkUndo(own, record.name);
  const declared = declaredTask(className, own?.record ?? { name, options: {}, method });
  return { ...declared, needs: [], spread: false, queue: null, method: readBare(method) ?? method };
}

/** @throws BatutaError OPTION_INVALID */
function checkUndo({ record, declaredBy }: DeclaredTask, undone: string): void {
  const option = unasked.find((one) => record.options[one] !== undefined);
  if (option === undefined) return;
  const place = `${classNameOf(declaredBy)}.${record.name}`;
  throw refuse('OPTION_INVALID', place, `: '${option}' has no effect on a method that undoes '${undone}'; leave it out.`);
}
