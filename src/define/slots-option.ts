/** The option `slots` of flows and tasks: how many places one takes. */
import { maxSlots } from '../model/slots.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { TaskDefinition } from '../model/task.ts';
import { type OptionReader, refuse } from './options.ts';

/** @throws BatutaError OPTION_INVALID */
export function slotsOf(read: OptionReader): number {
  return read.whole('slots', 1, maxSlots) ?? 1;
}

/** The tasks, unchanged. @throws BatutaError OPTION_INVALID for one that could never begin, or whose `slots` have no effect */
export function checkSlots<Tasks extends ReadonlyMap<string, TaskDefinition>>(
  { maxParallelTasks: parallel }: Pick<FlowDefinition, 'maxParallelTasks'>,
  className: string,
  tasks: Tasks,
): Tasks {
  for (const { name, slots, isolate, spread } of tasks.values()) {
    if (slots === 1) continue;
    const place = `${className}.${name}`;
    if (parallel !== null && slots > parallel)
      throw refuse(
        'OPTION_INVALID',
        place,
        `: slots is ${slots}, but the flow has maxParallelTasks: ${parallel}, so it could never begin.`,
      );
    if (parallel === null && isolate === null && !spread)
      throw refuse(
        'OPTION_INVALID',
        place,
        ': slots has no effect here; give the flow maxParallelTasks or the task isolate or spread, or leave it out.',
      );
  }
  return tasks;
}
