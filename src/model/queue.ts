/** Names of queues. */
import { createHash } from 'node:crypto';

const maxChars = 100;
const pattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;

/** Suffix of the queue of spread tasks, after the name of the queue whose workers serve it. */
const ofTasks = '.tasks';

/** The queue for tickets of spread tasks. Separate from that of runs, so that runs waiting for their tasks cannot take up all places. */
export function taskQueueOf(queue: string): string {
  return withEnding(queue, ofTasks);
}

/**
 * Text that is equal for workers with the same flows and versions.
 *
 * @param flows versions by name
 */
export function flowsKey(flows: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(flows).sort(([left], [right]) => (left < right ? -1 : 1));
  return sumOf(JSON.stringify(sorted));
}

/** The same for one worker. @param id of it */
export function workerKey(id: string): string {
  return sumOf(`worker ${id}`);
}

/** The queue for tickets that a worker leaves to those that know certain flows; see `flowsKey`. */
export function queueOfFlows(queue: string, key: string): string {
  return withEnding(queue, `.for-${key}`);
}

function withEnding(queue: string, ending: string): string {
  if (queue.length + ending.length <= maxChars) return queue + ending;
  // Names that differ only in their last letters must stay apart.
  const sum = sumOf(queue);
  return `${queue.slice(0, maxChars - ending.length - sum.length - 1)}.${sum}${ending}`;
}

function sumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Whether a queue name is allowed: 1 to 100 letters, digits, `_`, `.` and `-`, the first a letter or digit; case counts. */
export function isQueueName(name: unknown): name is string {
  return typeof name === 'string' && pattern.test(name);
}
