/** When what waits for a slot is looked for again. */
import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { LimitWatch } from '../../../src/engine/limits/limit-watch.ts';
import { gate } from '../../support/make-flow.ts';
import { type HandClock, handClock } from '../../support/hand-clock.ts';

const log = pino({ level: 'silent' });

function watchOver(changes: { readonly net?: () => Promise<void> } = {}) {
  const { clock, timers, pass }: HandClock = handClock();
  let version = 1;
  let nets = 0;
  const net = async (): Promise<void> => void nets++;
  const watch = new LimitWatch({ store: { dataVersion: () => version }, clock, log, net, ...changes });
  return {
    watch,
    timers,
    pass,
    write: () => void version++,
    nets: () => nets,
    /** Lets the time between two questions pass. */
    async ask(): Promise<void> {
      for (const { fire } of [...timers.values()]) fire();
      for (let turns = 5; turns > 0; turns--) await turn();
    },
  };
}

test('nothing is asked while nothing waits, and one timer is enough however many do', async () => {
  const { watch, timers, ask } = watchOver();
  expect(timers.size).toBe(0);
  watch.wake();
  let looks = 0;
  const look = async (): Promise<void> => void looks++;
  const ends = [watch.begin(look), watch.begin(async () => undefined)];
  expect([timers.size, looks]).toEqual([1, 0]);
  await ask();
  expect(timers.size).toBe(1);
  ends[0]?.();
  expect(timers.size).toBe(1);
  ends[1]?.();
  expect(timers.size).toBe(0);
  watch.begin(look)();
  expect(timers.size).toBe(0);
});

test('a look follows whenever the database has changed, and none while it has not', async () => {
  const { watch, write, nets, ask } = watchOver();
  let looks = 0;
  const end = watch.begin(async () => void looks++);
  await ask();
  const first = looks;
  await ask();
  expect(looks).toBe(first);
  write();
  await ask();
  expect([looks, nets()]).toEqual([first + 1, 0]);
  end();
});

test('once a second lost slots are freed and a look follows, whatever the database says', async () => {
  const { watch, nets, pass, ask } = watchOver();
  let looks = 0;
  const end = watch.begin(async () => void looks++);
  await ask();
  const first = looks;
  pass(1_000);
  await ask();
  expect([looks, nets()]).toEqual([first + 1, 1]);
  await ask();
  expect([looks, nets()]).toEqual([first + 1, 1]);
  pass(1_000);
  await ask();
  expect([looks, nets()]).toEqual([first + 2, 2]);
  end();
});

test('the first of these comes a second after the first wait, not after the watch was made', async () => {
  const { watch, nets, pass, ask } = watchOver();
  pass(60_000);
  const end = watch.begin(async () => undefined);
  await ask();
  expect(nets()).toBe(0);
  end();
});

test('a look follows although lost slots could not be freed, and although another look fails', async () => {
  const { watch, pass, ask } = watchOver({ net: () => Promise.reject(new Error('busy')) });
  let looks = 0;
  const ends = [watch.begin(() => Promise.reject(new Error('busy'))), watch.begin(async () => void looks++)];
  pass(1_000);
  await ask();
  expect(looks).toBe(1);
  for (const end of ends) end();
});

test('what is woken during a look is looked for once more, and by one look at a time', async () => {
  const { watch } = watchOver();
  const gates = [gate(), gate()];
  let looks = 0;
  let inside = 0;
  let most = 0;
  const end = watch.begin(async () => {
    most = Math.max(most, ++inside);
    await gates[looks++]?.opened;
    inside--;
  });
  watch.wake();
  watch.wake();
  watch.wake();
  expect(looks).toBe(1);
  gates[0]?.open();
  for (let turns = 5; turns > 0; turns--) await turn();
  expect(looks).toBe(2);
  gates[1]?.open();
  for (let turns = 5; turns > 0; turns--) await turn();
  expect([looks, most]).toEqual([2, 1]);
  watch.wake();
  expect(looks).toBe(3);
  end();
});

test('a look that was under way when the last wait ended is the last', async () => {
  const { watch } = watchOver();
  const first = gate();
  let looks = 0;
  const end = watch.begin(async () => {
    looks++;
    await first.opened;
  });
  watch.wake();
  watch.wake();
  end();
  first.open();
  for (let turns = 5; turns > 0; turns--) await turn();
  expect(looks).toBe(1);
});
