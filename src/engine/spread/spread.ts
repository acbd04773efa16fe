/** Contract for carrying spread tasks between processes: tickets, and the news that one has ended. The store has the truth. */
import type { FlowWish } from '../../model/pin.ts';
import type { Ticketed } from '../../store/store.ts';

export interface Spread {
  /** Puts the tickets of waiting task runs. @throws BatutaError BROKER_UNAVAILABLE, STORE_…; the loop `reissue` puts them again */
  put(tickets: readonly Ticketed[]): Promise<void>;
  /** Puts the ticket for wanted workers, with another version than this process; false: there are none. @throws as `put` does */
  leave?(ticket: Ticketed, wanted: FlowWish): Promise<boolean>;
  /** Whether there are any on that queue. */
  isKnown?(wanted: FlowWish, queue: string): Promise<boolean>;
  /** Notifies the owner of a run that one of its task runs has ended. Best effort, backed by a poll; never rejects. */
  tell(runId: string, taskRunId: string): Promise<void>;
  /** Calls `listener` with the run's task runs that have ended, from when it resolves. Returns a function to stop it. */
  listen(runId: string, listener: (taskRunId: string) => void): Promise<() => void>;
}
