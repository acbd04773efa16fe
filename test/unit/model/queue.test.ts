import { expect, it } from 'vitest';
import { isQueueName, taskQueueOf } from '../../../src/model/queue.ts';

it('a queue of spread tasks is called after its queue', () => {
  expect(taskQueueOf('gpu')).toBe('gpu.tasks');
  expect(taskQueueOf('a'.repeat(94))).toBe(`${'a'.repeat(94)}.tasks`);
});

it('the longest names of queues keep their spread tasks apart, in names that a queue may have', () => {
  const queues = Array.from({ length: 7 }, (_, at) => 'a'.repeat(94) + 'b'.repeat(at)).filter(isQueueName);
  const names = queues.map(taskQueueOf);
  expect(new Set(names).size).toBe(7);
  expect(names.every(isQueueName)).toBe(true);
});
