/** Names of queues. */

const pattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;

/** What a queue of spread tasks is called, behind the name of the queue whose workers serve it. */
const ofTasks = '.tasks';

/**
 * The queue in which the tickets of spread tasks travel. It is another than that of the runs, so that runs which wait for their tasks
 * cannot take up all places.
 */
export function taskQueueOf(queue: string): string {
  return queue.slice(0, 100 - ofTasks.length) + ofTasks;
}

/** Whether a queue may have the name: 1 to 100 letters, digits, `_`, `.` and `-`, the first a letter or digit; case counts. */
export function isQueueName(name: unknown): name is string {
  return typeof name === 'string' && pattern.test(name);
}
