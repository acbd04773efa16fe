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
  if (queue.length + ofTasks.length <= maxChars) return queue + ofTasks;
  // Names that differ in their last letters only must stay apart.
  const sum = createHash('sha256').update(queue).digest('hex').slice(0, 16);
  return `${queue.slice(0, maxChars - ofTasks.length - sum.length - 1)}.${sum}${ofTasks}`;
}

/** Whether a queue may have the name: 1 to 100 letters, digits, `_`, `.` and `-`, the first a letter or digit; case counts. */
export function isQueueName(name: unknown): name is string {
  return typeof name === 'string' && pattern.test(name);
}
