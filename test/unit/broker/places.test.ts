import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type HeldPlaces, Places } from '../../../src/broker/places.ts';

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Tickets over places, as a consumer has them: each takes one, may ask for several, and ends. */
class Tickets {
  readonly places: Places;
  readonly held: HeldPlaces[] = [];
  readonly log: string[] = [];

  constructor(total: number) {
    this.places = new Places(total);
  }

  get used(): number {
    return this.held.reduce((sum, { count }) => sum + count, 0);
  }

  begin(name = 'small'): void {
    void this.places.take(0).granted.then((granted) => {
      if (!granted) return;
      this.held.push(this.places.hold());
      this.log.push(name);
    });
  }

  widen(held: HeldPlaces, count: number, name = 'heavy'): void {
    void held.widen(count).then((granted) => void (granted && this.log.push(name)));
  }

  async end(held: HeldPlaces): Promise<void> {
    this.held.splice(this.held.indexOf(held), 1);
    await held.end();
    this.places.release();
  }
}

describe('Places', () => {
  test('what becomes free is kept for a ticket that needs several, before those that came after it', async () => {
    const tickets = new Tickets(3);
    for (let at = 0; at < 3; at++) tickets.begin();
    await turn();
    const [heavy, second, third] = tickets.held as [HeldPlaces, HeldPlaces, HeldPlaces];
    tickets.widen(heavy, 3);
    tickets.begin('late');
    await tickets.end(second);
    await turn();
    expect(tickets.places).toMatchObject({ free: 0, isKept: true });
    expect(heavy.count).toBe(0);
    await tickets.end(third);
    await turn();
    expect(tickets.log).toEqual(['small', 'small', 'small', 'heavy']);
    expect(tickets.used).toBe(3);
    await tickets.end(heavy);
    await turn();
    expect(tickets.log.at(-1)).toBe('late');
  });

  test('two that need all of them have them one after the other, and do not wait for each other', async () => {
    const tickets = new Tickets(4);
    for (let at = 0; at < 2; at++) tickets.begin();
    await turn();
    const [one, two] = tickets.held as [HeldPlaces, HeldPlaces];
    tickets.widen(one, 4, 'one');
    tickets.widen(two, 4, 'two');
    await turn();
    expect(tickets.log.slice(2)).toEqual(['one']);
    await tickets.end(one);
    await turn();
    expect(tickets.log.slice(2)).toEqual(['one', 'two']);
  });

  test('one that waits no longer has its own place again, and lets the others go on', async () => {
    const tickets = new Tickets(2);
    for (let at = 0; at < 2; at++) tickets.begin();
    await turn();
    const [heavy] = tickets.held as [HeldPlaces];
    const widened = heavy.widen(2);
    tickets.begin('late');
    heavy.cancel();
    expect(await widened).toBe(false);
    expect(heavy.count).toBe(1);
    await tickets.end(heavy);
    await turn();
    expect(tickets.log.at(-1)).toBe('late');
  });

  test('once closed, one that waits is told, and the places are empty when all have ended', async () => {
    const tickets = new Tickets(2);
    for (let at = 0; at < 2; at++) tickets.begin();
    await turn();
    const [heavy, small] = tickets.held as [HeldPlaces, HeldPlaces];
    const widened = heavy.widen(2);
    tickets.places.close();
    expect(await widened).toBe(false);
    const empty = tickets.places.whenEmpty();
    await tickets.end(small);
    await tickets.end(heavy);
    await empty;
  });

  test('a number of places that there cannot be is refused', async () => {
    const places = new Places(4);
    places.tryTake();
    const held = places.hold();
    for (const count of [0, 1.5, 5, Number.NaN]) await expect(held.widen(count)).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await held.widen(4)).toBe(true);
    await expect(held.widen(2)).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  test('however tickets come, ask for several and end: never more places than there are, nobody overtaken, none lost', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('begin' as const) }),
      fc.record({ kind: fc.constant('widen' as const), at: fc.nat(9), count: fc.integer({ min: 2, max: 6 }) }),
      fc.record({ kind: fc.constant('end' as const), at: fc.nat(9) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 6 }), fc.array(step, { maxLength: 60 }), async (total, steps) => {
        const tickets = new Tickets(total);
        const { places, held, log } = tickets;
        const line: string[] = [];
        for (const one of steps) {
          const wasKept = places.isKept;
          const before = log.length;
          if (one.kind === 'begin') tickets.begin();
          else {
            const ticket = held[one.at % Math.max(1, held.length)];
            if (ticket === undefined) continue;
            if (one.kind === 'end') await tickets.end(ticket);
            else if (ticket.count === 1) {
              const name = `heavy ${line.push(`heavy ${line.length}`) - 1}`;
              tickets.widen(ticket, Math.min(one.count, total), name);
            }
          }
          await turn();
          expect(tickets.used).toBeLessThanOrEqual(total);
          if (wasKept && places.isKept) expect(log.slice(before).filter((name) => name === 'small')).toEqual([]);
          // Somebody waits only where it has to.
          if (!places.isKept && held.length > 0) expect(places.free).toBe(total - tickets.used);
        }
        for (let [first] = held; first !== undefined; [first] = held) {
          await tickets.end(first);
          await turn();
        }
        const granted = log.filter((name) => name !== 'small');
        expect(granted).toEqual(granted.toSorted((left, right) => line.indexOf(left) - line.indexOf(right)));
        expect(places).toMatchObject({ free: total, isKept: false });
        await places.whenEmpty();
      }),
      { numRuns: 300 },
    );
  });
});
