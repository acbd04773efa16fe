/** Contract of what carries spread tasks between processes: tickets, and the news that one has ended. The store decides what is true. */
import type { FlowWish } from '../../model/pin.ts';
import type { Ticketed } from '../../store/store.ts';

export interface Spread {
  /** Puts the tickets of task runs that wait. @throws BatutaError BROKER_UNAVAILABLE, STORE_…; the loop `reissue` puts them again */
  put(tickets: readonly Ticketed[]): Promise<void>;
  /** Puts the ticket for workers that are wanted, in another version than this process; false: there are none. @throws as `put` does */
  leave?(ticket: Ticketed, wanted: FlowWish): Promise<boolean>;
  /** Whether there are any, of whatever queue. */
  isKnown?(wanted: FlowWish): Promise<boolean>;
  /** Tells the owner of a run that one of its task runs has ended. Best effort, never rejects: a poll stands behind it. */
  tell(runId: string, taskRunId: string): Promise<void>;
  /** Calls `listener` with the task runs of the run that have ended, from when it resolves. Gives what ends that. */
  listen(runId: string, listener: (taskRunId: string) => void): Promise<() => void>;
}
