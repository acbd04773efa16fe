/** What happens to runs, one event after another, as `client.events` gives it. */
import type { Clock } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import type { RunEvent, Store } from '../store/store.ts';
import { Follower } from './follower.ts';

/** Which events are wanted; all that is given must fit. */
export interface RunEventsOptions {
  readonly flow?: string;
  readonly deployment?: string;
  /** `seq` of the last event that was seen: what came after it is given first. Default: only what happens from now on. */
  readonly after?: number;
  /** Aborting ends the events; the loop over them just ends. */
  readonly signal?: AbortSignal;
}

/**
 * A run changed its state (`seq` grows with time inside a store; times are UTC epoch ms), or events are missing, in which case what is known of runs has to be
 * asked for anew: `old` more than 5,000 came since `after`, `unknown` the store has no such number, any other reason: the server gave up on a slow reader.
 */
export type ClientEvent = ({ readonly kind: 'run' } & RunEvent) | { readonly kind: 'gap'; readonly reason: string };

/** Between two looks at the database while things happen, and at most while nothing does, ms. */
const busyMs = 100;
const idleMs = 1_000;
/** Numbers behind the newest that may still be filled by writers under way when a reader begins. */
const beginBehind = 1000;
const names: readonly string[] = ['flow', 'deployment', 'after', 'signal'] satisfies readonly (keyof RunEventsOptions)[];

/** @throws BatutaError FILTER_INVALID */
export function checkEventsOptions(options: RunEventsOptions): void {
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new BatutaError('FILTER_INVALID', `Events have no filter '${unknown}'.${hintFor(unknown, names, 'They have')}`, {
      details: { filter: unknown },
    });
  const { after } = options;
  if (after !== undefined && !(Number.isSafeInteger(after) && after >= 0))
    throw new BatutaError('FILTER_INVALID', `after must be the seq of an event, not ${String(after)}.`, { details: { filter: 'after' } });
}

/** Reads them from the store: begins when it is first asked, and ends when a signal aborts. @throws BatutaError FILTER_INVALID, STORE_… */
export async function* followRunEvents(
  store: Store,
  clock: Clock,
  options: RunEventsOptions,
  closed: AbortSignal,
): AsyncGenerator<ClientEvent> {
  checkEventsOptions(options);
  const { flow, deployment, after, signal } = options;
  const ended = signal ? AbortSignal.any([signal, closed]) : closed;
  const follower = await placeFollower(store, clock, after);
  let quietSince = clock.monotonic();
  while (!ended.aborted) {
    const version = store.dataVersion();
    for await (const rows of follower.pages()) {
      quietSince = clock.monotonic();
      for (const row of rows) {
        if (ended.aborted) return;
        if ((flow === undefined || flow === row.flow) && (deployment === undefined || deployment === row.deployment))
          yield { kind: 'run', ...row };
      }
    }
    const restMs = Math.min(idleMs, (clock.monotonic() - quietSince) / 10);
    // What another process has written shows at once; what this one writes itself does not.
    for (let waitedMs = 0; waitedMs <= restMs && !ended.aborted; waitedMs += busyMs) {
      await clock.sleep(busyMs, ended).catch(() => undefined);
      if (version !== null && store.dataVersion() !== version) break;
    }
  }
}

async function placeFollower({ events }: Store, clock: Clock, after: number | undefined): Promise<Follower<RunEvent>> {
  const read = (seq: number, limit: number): ReturnType<typeof events.runs> => events.runs(seq, limit);
  if (after !== undefined) return new Follower(read, clock, after);
  const follower = new Follower(read, clock, Math.max(0, (await events.place()) - beginBehind));
  await follower.skip();
  return follower;
}
