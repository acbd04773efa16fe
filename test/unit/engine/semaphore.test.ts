import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { Semaphore } from '../../../src/engine/limits/semaphore.ts';

/** Takes a place and tells when it has it. */
function waiter(slots: Semaphore, name: string, priority: number, served: string[]): void {
  const place = slots.take(priority);
  if (place) void place.then(() => served.push(name));
  else served.push(name);
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('Semaphore', () => {
  test('without a limit everybody has a place at once', () => {
    const slots = new Semaphore(null);
    for (let i = 0; i < 1_000; i++) expect(slots.take(0)).toBeNull();
  });

  test('a place that was overtaken is given back before a waiter gets one', async () => {
    const slots = new Semaphore(1);
    const served: string[] = [];
    waiter(slots, 'first', 0, served);
    waiter(slots, 'second', 0, served);
    slots.overtake();
    slots.give();
    await turn();
    expect(served).toEqual(['first']);
    slots.give();
    await turn();
    expect(served).toEqual(['first', 'second']);
    slots.give();
    expect(slots.take(0)).toBeNull();
  });

  test('a waiter of higher priority is served before all others, also after many were served', async () => {
    const slots = new Semaphore(1);
    const served: string[] = [];
    for (const [name, priority] of [
      ['first', 0],
      ['high', 5],
      ['low', 0],
      ['last', 0],
    ] as const)
      waiter(slots, name, priority, served);
    slots.give();
    slots.give();
    await turn();
    waiter(slots, 'late but high', 5, served);
    slots.give();
    slots.give();
    await turn();
    expect(served).toEqual(['first', 'high', 'low', 'late but high', 'last']);
  });

  test('thousands are served in their order, those of higher priority first, also while more come', async () => {
    const slots = new Semaphore(1);
    const served: string[] = [];
    waiter(slots, 'first', 0, served);
    for (let at = 0; at < 3_000; at++) waiter(slots, String(at), 0, served);
    for (let at = 0; at < 2_000; at++) slots.give();
    waiter(slots, 'high', 1, served);
    waiter(slots, 'last', 0, served);
    for (let at = 0; at < 1_002; at++) slots.give();
    await turn();
    const numbers = Array.from({ length: 3_000 }, (_, at) => String(at));
    expect(served).toEqual(['first', ...numbers.slice(0, 2_000), 'high', ...numbers.slice(2_000), 'last']);
  });

  test('once opened all that wait have a place, each once, and whoever comes then', async () => {
    const slots = new Semaphore(1);
    const served: string[] = [];
    for (const name of ['first', 'second', 'third', 'fourth']) waiter(slots, name, 0, served);
    slots.give();
    slots.open();
    await turn();
    expect(served).toEqual(['first', 'second', 'third', 'fourth']);
    for (let at = 0; at < 4; at++) slots.give();
    expect(slots.take(0)).toBeNull();
  });

  test('nobody is lost and never more have a place than there are, in any order of coming and going', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.option(fc.integer({ min: -2, max: 2 }), { nil: null }), { maxLength: 60 }),
        async (limit, steps) => {
          const slots = new Semaphore(limit);
          const served: string[] = [];
          let asked = 0;
          let given = 0;
          for (const priority of steps) {
            if (priority !== null) waiter(slots, String(asked++), priority, served);
            else if (given < Math.min(asked, served.length)) {
              slots.give();
              given++;
            }
            await Promise.resolve();
            expect(served.length - given).toBe(Math.min(limit, asked - given));
          }
          while (given < asked) {
            slots.give();
            given++;
            await Promise.resolve();
          }
          expect(new Set(served).size).toBe(asked);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('once opened, all who wait have a place, and all who come', async () => {
    const slots = new Semaphore(1);
    const served: string[] = [];
    for (const name of ['a', 'b', 'c']) waiter(slots, name, 0, served);
    slots.open();
    waiter(slots, 'd', 0, served);
    await turn();
    expect(served.toSorted()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('one that needs several is not overtaken by those behind it, and has them all at once', async () => {
    const slots = new Semaphore(3);
    const served: string[] = [];
    const take = (name: string, count: number, priority = 0): void =>
      void Promise.resolve(slots.take(priority, count)).then(() => served.push(name));
    take('one', 1);
    take('heavy', 3);
    take('late', 1);
    take('urgent', 1, 5);
    await turn();
    expect(served).toEqual(['one', 'urgent']);
    slots.give();
    await turn();
    expect(served).toEqual(['one', 'urgent']);
    slots.give();
    await turn();
    expect(served).toEqual(['one', 'urgent', 'heavy']);
    slots.give(3);
    await turn();
    expect(served.at(-1)).toBe('late');
  });

  test('one that needs more than there are takes them all', async () => {
    const slots = new Semaphore(2);
    expect(slots.take(0, 5)).toBeNull();
    let isNext = false;
    void slots.take(0)?.then(() => (isNext = true));
    await turn();
    expect(isNext).toBe(false);
    slots.give(5);
    await turn();
    expect(isNext).toBe(true);
    slots.give();
    expect(slots.take(0, 2)).toBeNull();
  });

  test('with several places apiece too, never more are taken than there are, and nobody is lost', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(
          fc.option(fc.record({ priority: fc.integer({ min: -1, max: 1 }), count: fc.integer({ min: 1, max: 7 }) }), { nil: null }),
          {
            maxLength: 60,
          },
        ),
        async (limit, steps) => {
          const slots = new Semaphore(limit);
          const holding: number[] = [];
          let [asked, ended] = [0, 0];
          const give = (): void => {
            const count = holding.shift();
            if (count === undefined) return;
            ended++;
            slots.give(count);
          };
          for (const step of steps) {
            if (step === null) give();
            else {
              asked++;
              const place = slots.take(step.priority, step.count);
              if (place) void place.then(() => holding.push(step.count));
              else holding.push(step.count);
            }
            await turn();
            expect(holding.reduce((sum, count) => sum + Math.min(count, limit), 0)).toBeLessThanOrEqual(limit);
          }
          for (let left = asked; left > 0; left--) {
            give();
            await turn();
          }
          expect(ended).toBe(asked);
          expect(slots.take(0, limit)).toBeNull();
        },
      ),
      { numRuns: 100 },
    );
  });
});
