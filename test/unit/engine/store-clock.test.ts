/** What a process knows of the clock of the database. The clocks here run by numbers alone. */
import { describe, expect, test } from 'vitest';
import { StoreClock } from '../../../src/engine/limits/store-clock.ts';

/** The clock there is so far ahead. */
const ahead = 1_000_000;

describe('the clock of the database', () => {
  test('is known from one answer as well as the answer was quick', () => {
    const clock = new StoreClock();
    clock.note(100, ahead + 130, 150);
    // It was surely 130 there when the answer had come, and no later than 131 when it was asked for.
    expect(clock.surelyAt(ahead + 200, 150)).toBeCloseTo(220, 0);
    expect(clock.notYetAt(ahead + 200, 150)).toBeCloseTo(169, 0);
    expect(clock.latest(150) - ahead).toBeGreaterThanOrEqual(181);
    expect(clock.latest(150) - ahead).toBeLessThanOrEqual(182);
  });

  test('is known better with each answer that is quicker, and no worse with a slow one', () => {
    const clock = new StoreClock();
    clock.note(100, ahead + 130, 150);
    clock.note(200, ahead + 201, 202);
    clock.note(300, ahead + 350, 900);
    expect(clock.surelyAt(ahead + 1_000, 900)).toBeLessThan(1_002);
    expect(clock.latest(900) - ahead).toBeLessThan(904);
  });

  test('never comes before its time, nor is it said to be earlier than it is', () => {
    const clock = new StoreClock();
    let now = 0;
    for (let answers = 0; answers < 1_000; answers++) {
      const sentAt = now + ((answers * 37) % 61);
      const askedAt = sentAt + ((answers * 13) % 17);
      const answeredAt = askedAt + ((answers * 29) % 43);
      clock.note(sentAt, ahead + Math.floor(askedAt), answeredAt);
      expect(clock.surelyAt(ahead + 500_000, answeredAt)).toBeGreaterThanOrEqual(500_000);
      expect(clock.notYetAt(ahead + 500_000, answeredAt)).toBeLessThanOrEqual(500_000);
      expect(clock.latest(answeredAt)).toBeGreaterThanOrEqual(ahead + answeredAt);
      now = answeredAt;
    }
  });

  test('what is known of it fades: clocks part', () => {
    const clock = new StoreClock();
    clock.note(0, ahead, 0);
    expect(clock.surelyAt(ahead + 20_000, 20_000)).toBe(20_010);
  });

  test.each([
    ['forward', 600_000],
    ['back', -600_000],
  ])('is known anew once it was set %s', (_, by) => {
    const clock = new StoreClock();
    clock.note(0, ahead, 1);
    clock.note(10, ahead + by + 10, 11);
    expect(clock.surelyAt(ahead + by + 20, 11)).toBeCloseTo(21, 0);
    expect(clock.latest(11) - ahead - by).toBeLessThan(14);
  });
});
