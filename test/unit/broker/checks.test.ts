import { describe, expect, it } from 'vitest';
import { isBatutaError } from '../../../src/base/errors.ts';
import type { NewTicket } from '../../../src/broker/broker.ts';
import { checkChannelName, checkConsume, checkPut, checkQueueName, ticketKey } from '../../../src/broker/checks.ts';

const ticket: NewTicket = { kind: 'run', id: 'a', epoch: 0 };
const codeOf = (call: () => unknown): string => {
  try {
    call();
    return 'none';
  } catch (error) {
    return isBatutaError(error) ? error.code : String(error);
  }
};

describe('what may be put', () => {
  it.each(['default', 'gpu-2', 'a.b_C', '9', 'x'.repeat(100)])('takes the queue %s', (name) => {
    expect(codeOf(() => checkQueueName(name))).toBe('none');
  });

  it.each(['', 'a:b', '-a', 'ä', 'a b', 'a/b', '{a}', 'x'.repeat(101)])('refuses the queue %j', (name) => {
    expect(codeOf(() => checkQueueName(name))).toBe('NAME_INVALID');
  });

  it('takes channels with colons, for ids of runs', () => {
    expect(codeOf(() => checkChannelName('run:0192-ab'))).toBe('none');
    expect(codeOf(() => checkChannelName(':a'))).toBe('NAME_INVALID');
  });

  it.each<Partial<NewTicket>>([
    { id: '' },
    { id: 'a:b' },
    { id: 'x'.repeat(101) },
    { epoch: -1 },
    { epoch: 1.5 },
    { epoch: Number.NaN },
    { priority: 101 },
    { priority: -101 },
    { priority: 0.5 },
    { dueAt: Number.NaN },
    { dueAt: Infinity },
    { dueAt: -1 },
    { dueAt: 8.64e15 + 1 },
  ])('refuses a ticket with %j', (change) => {
    expect(codeOf(() => checkPut({ ...ticket, ...change }, { queue: 'q' }))).toBe('OPTION_INVALID');
  });

  it('lets a ticket go before the options of the call, and keeps the same ticket once', () => {
    const options = { queue: 'q', dueAt: 100.2, priority: 1 };
    expect(checkPut([ticket, { ...ticket, epoch: 1, dueAt: null, priority: -3 }, ticket], options)).toEqual([
      { kind: 'run', id: 'a', epoch: 0, dueAt: 101, priority: 1 },
      { kind: 'run', id: 'a', epoch: 1, dueAt: null, priority: -3 },
    ]);
  });

  it('gives different tickets different keys, none of which is a number or holds a colon', () => {
    const keys = [ticket, { ...ticket, kind: 'task' as const }, { ...ticket, id: 'a-0' }, { ...ticket, epoch: 1 }].map(ticketKey);
    expect(new Set(keys).size).toBe(4);
    expect(keys.filter((key) => key.includes(':') || /^\d+$/.test(key))).toEqual([]);
  });

  it('takes each queue of a consumer once, in their order', () => {
    expect(checkConsume(['b', 'a', 'b'], { concurrency: 1 })).toEqual(['b', 'a']);
    expect(codeOf(() => checkConsume('q', { concurrency: Infinity }))).toBe('OPTION_INVALID');
  });
});
