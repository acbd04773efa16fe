/** Resources that take long to open or close. */
import { expect, test } from 'vitest';
import { resource } from 'batuta';
import type { Clock } from '../../../src/base/clock.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { openLog } from '../../../src/base/log.ts';
import { noNamedValues } from '../../../src/model/variable.ts';
import { ResourceScope } from '../../../src/resources/scope.ts';
import { gate } from '../../support/make-flow.ts';

/** Fires nothing by itself: what is due after `ms` is fired by `pass`. */
function handClock() {
  const timers = new Map<object, { readonly ms: number; readonly fire: () => void }>();
  const clock: Clock = {
    ...systemClock,
    setTimer(ms, fire) {
      const timer = { cancel: () => void timers.delete(timer) };
      timers.set(timer, { ms, fire });
      return timer;
    },
  };
  const pass = (ms: number): void => {
    for (const [timer, one] of [...timers]) if (one.ms <= ms && timers.delete(timer)) one.fire();
  };
  return { clock, pass, waiting: () => timers.size };
}

test('a resource that is opening, then closing, for 5 seconds is named in the log, once each', async () => {
  const { clock, pass, waiting } = handClock();
  const lines: string[] = [];
  const log = await openLog({ level: 'warn', format: 'json', clock: systemClock, write: (text) => void lines.push(text) });
  const source = { name: 'run', clock, log: log.logger, run: null, task: null, params: undefined, fakes: null } as const;
  const scope = new ResourceScope({ ...source, namedValues: () => noNamedValues, enter: (work) => work() }, null);
  const opens = gate();
  const closes = gate();
  const closing = gate();
  const slow = resource('slow', async function* () {
    await opens.opened;
    yield 'slow';
    closing.open();
    await closes.opened;
  });
  const using = scope.use(slow, undefined);
  pass(4_999);
  expect(lines).toHaveLength(0);
  pass(5_000);
  pass(5_000);
  expect(lines).toEqual([expect.stringContaining("The resource 'slow' has been opening for 5")]);
  opens.open();
  await using;
  const closed = scope.close(null);
  await closing.opened;
  pass(5_000);
  expect(lines).toEqual([expect.anything(), expect.stringContaining("The resource 'slow' has been closing for 5")]);
  closes.open();
  expect(await closed).toEqual([]);
  expect(waiting()).toBe(0);
});
