/** Names of queues. */
import { createHash } from 'node:crypto';

const maxChars = 100;
const pattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;

/** What a queue of spread tasks is called, behind the name of the queue whose workers serve it. */
const ofTasks = '.tasks';

/**
 * The queue in which the tickets of spread tasks travel. It is another than that of the runs, so that runs which wait for their tasks
 * cannot take up all places.
 */
export function taskQueueOf(queue: string): string {
  return withEnding(queue, ofTasks);
}

/**
 * Text that is the same for workers which know the same flows in the same versions.
 *
 * @param flows versions by name
 */
export function flowsKey(flows: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(flows).sort(([left], [right]) => (left < right ? -1 : 1));
  return sumOf(JSON.stringify(sorted));
}

/** The same for one worker alone. @param id of it */
export function workerKey(id: string): string {
  return sumOf(`worker ${id}`);
}

/** The queue in which tickets travel that one worker leaves to those which know certain flows; see `flowsKey`. */
export function queueOfFlows(queue: string, key: string): string {
  return withEnding(queue, `.for-${key}`);
}

function withEnding(queue: string, ending: string): string {
  if (queue.length + ending.length <= maxChars) return queue + ending;
  // Names that differ in their last letters only must stay apart.
  const sum = sumOf(queue);
  return `${queue.slice(0, maxChars - ending.length - sum.length - 1)}.${sum}${ending}`;
}

function sumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Whether a queue may have the name: 1 to 100 letters, digits, `_`, `.` and `-`, the first a letter or digit; case counts. */
export function isQueueName(name: unknown): name is string {
  return typeof name === 'string' && pattern.test(name);
}
