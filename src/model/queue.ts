/** Names of queues. */

const pattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;

/** Whether a queue may have the name: 1 to 100 letters, digits, `_`, `.` and `-`, the first a letter or digit; case counts. */
export function isQueueName(name: unknown): name is string {
  return typeof name === 'string' && pattern.test(name);
}
