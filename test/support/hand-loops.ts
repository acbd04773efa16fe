/** An engine and a broker for loops whose timers fire by hand, and what the loops put, log and tell. */
import { pino } from 'pino';
import type { Service } from '../../src/base/service.ts';
import { openBroker } from '../../src/broker/open.ts';
import type { Occurrence } from '../../src/observe/occurrence.ts';
import type { Ticketed } from '../../src/store/store.ts';
import type { LoopParts } from '../../src/upkeep/parts.ts';
import { handClock } from './hand-clock.ts';
import { type EngineParts, type OpenEngine, openEngine } from './open-engine.ts';
import { until } from './room.ts';

export interface HandLoops extends Pick<OpenEngine, 'store' | 'engine'> {
  readonly parts: LoopParts;
  readonly told: readonly Occurrence[];
  /** Ids of the tickets put, call by call. They go nowhere. */
  readonly put: readonly (readonly string[])[];
  /** Messages of the log from `warn` on. */
  readonly logged: readonly string[];
  /** Milliseconds of the timers that are set, the shortest first. */
  timers(): readonly number[];
  now(): number;
  /** Resolves once the steps of a loop are done, and it waits for the next. */
  rests(): Promise<void>;
  /** Fires the timer of so many ms, and waits for the pass that it begins. */
  fire(ms: number): Promise<void>;
  /** One pass, with those that follow at once. */
  pass(loop: Service): Promise<void>;
  close(): Promise<void>;
}

export async function openHandLoops(options: EngineParts = {}): Promise<HandLoops> {
  const { clock, timers } = handClock();
  const { engine, client, store } = await openEngine({ clock, leaseClock: clock, ...options });
  const broker = await openBroker({ url: null, store });
  const [told, put, logged]: [Occurrence[], string[][], string[]] = [[], [], []];
  const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push((JSON.parse(line) as { msg: string }).msg) });
  Object.assign(broker, { put: async (tickets: Ticketed | Ticketed[]) => void put.push([tickets].flat().map(({ id }) => id)) });
  engine.services.lifecycle.observe((occurrence) => told.push(occurrence));
  const rests = (): Promise<void> => until(() => timers.size > 0);
  const lengths = (): number[] => [...timers.values()].map(({ ms }) => ms).sort((a, b) => a - b);
  return {
    ...{ store, engine, told, put, logged, rests },
    parts: { engine, broker, log },
    timers: lengths,
    now: clock.now,
    async fire(ms) {
      const found = [...timers.values()].find((timer) => timer.ms === ms);
      if (!found) throw new Error(`There is no timer of ${ms} ms, but of ${lengths().join(', ')}.`);
      found.fire();
      await rests();
    },
    async pass(loop) {
      await loop.start();
      await rests();
      await loop.stop();
    },
    async close() {
      await broker.close();
      await client.close();
    },
  };
}
