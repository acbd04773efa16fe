/** The interface of an engine's cache for its other parts. */
import type { CachePolicy } from '../../model/cache.ts';
import type { CachedValue, CacheKey, FoundEntry } from '../../store/store.ts';
import type { StoredValue } from '../values/results.ts';

/** The cache of an engine. */
export interface CacheAccess {
  /** The value of a key, or the duty to make it; null if `signal` aborts first, or it has to wait and `waitSignal` aborts. @throws BatutaError STORE_… */
  ask(ask: CacheAsk): Promise<CacheAnswer>;
  /** Exchanges news with other processes from now on. @throws BatutaError BROKER_UNAVAILABLE, STORE_… */
  connect(news: CacheNews): Promise<void>;
  /** Writes the uses not counted yet. */
  close(): Promise<void>;
}

/** A request for the value of a key. */
export interface CacheAsk {
  readonly key: CacheKey;
  readonly policy: CachePolicy;
  readonly runId: string;
  readonly taskRunId: string;
  /** Whether values made before are not accepted. */
  readonly refresh: boolean;
  readonly signal: AbortSignal;
  /** Aborts whenever `signal` does. */
  readonly waitSignal: AbortSignal;
  /** Called once if it has to wait, with the run that makes the value, if known. */
  readonly onWait: (makingRunId: string | null) => void;
}

export type CacheAnswer = { readonly value: CachedValue } | { readonly making: ValueMaking } | null;

/** The right and the duty to make a value. */
export interface ValueMaking {
  /** Stores the value for others. Never throws: if it cannot be stored, the next request makes it again. */
  give(stored: StoredValue, by: { readonly runId: string; readonly taskRunId: string }): Promise<void>;
  /** Leaves it to the next in line if no value was given. To be called at the end, in every case. */
  end(): Promise<void>;
}

/** Carries the news that a value has been made, or will not be, between processes. Best effort, backed by a poll every second. */
export interface CacheNews {
  tell(): Promise<void>;
  /** Calls `listener` on news from another process. */
  listen(listener: () => void): Promise<void>;
}

/** An entry that has a value. */
export type MadeEntry = FoundEntry & { readonly value: CachedValue };

/** Whether an entry has a value that has not expired and was made after that instant; null: at any time. */
export function isGood(entry: FoundEntry | null, madeAfter: number | null, now: number): entry is MadeEntry {
  const value = entry?.value ?? null;
  if (value === null || (madeAfter !== null && value.madeAt <= madeAfter)) return false;
  return value.expiresAt === null || value.expiresAt > now;
}
