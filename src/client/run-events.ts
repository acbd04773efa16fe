/** Run events, one after another, as yielded by `client.events`. */
import type { Clock } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import type { RunEvent, Store } from '../store/store.ts';
import { Follower } from './follower.ts';

/** Which events are wanted; all conditions must match. */
export interface RunEventsOptions {
  readonly flow?: string;
  readonly deployment?: string;
  /** `seq` of the last event seen: events after it come first. Default: only new events. */
  readonly after?: number;
  /** Aborting ends the loop without an error. */
  readonly signal?: AbortSignal;
}

/**
 * A run changed its state (`seq` grows with time inside a store; times are UTC epoch ms), or events are missing, so run state must be
 * fetched again: `old` more than 5,000 arrived since `after`, `unknown` no such number in the store, any other reason: the server gave up
 * on a slow reader.
 */
export type ClientEvent = ({ readonly kind: 'run' } & RunEvent) | { readonly kind: 'gap'; readonly reason: string };

/** Between two polls of the database while things happen, and at most while nothing does, ms. */
const busyMs = 100;
const idleMs = 1_000;
/** Numbers before the newest that active writers may still fill when a reader begins. */
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

/** Reads them from the store: begins on first use, and ends when a signal aborts. @throws BatutaError FILTER_INVALID, STORE_… */
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
    // Writes of other processes are seen at once; those of this one are not.
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
