/** What the parts of an engine ask of its cache, and what they get. */
import type { CachePolicy } from '../../model/cache.ts';
import type { CachedValue, CacheKey, FoundEntry } from '../../store/store.ts';
import type { StoredValue } from '../values/results.ts';

/** The cache of an engine. */
export interface CacheAccess {
  /** The value of a key, or the duty to make it; null when the signal came first. @throws BatutaError STORE_… */
  ask(ask: CacheAsk): Promise<CacheAnswer>;
  /** Hears from other processes from now on, and tells them. @throws BatutaError BROKER_UNAVAILABLE, STORE_… */
  connect(news: CacheNews): Promise<void>;
  /** Counts what was not counted yet. */
  close(): Promise<void>;
}

/** Who asks for the value of a key. */
export interface CacheAsk {
  readonly key: CacheKey;
  readonly policy: CachePolicy;
  readonly runId: string;
  readonly taskRunId: string;
  /** Whether a value made before is not good enough. */
  readonly refresh: boolean;
  readonly signal: AbortSignal;
  /** Called once when it has to wait, with the run that makes the value where that is known. */
  readonly onWait: (makingRunId: string | null) => void;
}

export type CacheAnswer = { readonly value: CachedValue } | { readonly making: ValueMaking } | null;

/** The right and the duty to make a value. */
export interface ValueMaking {
  /** Keeps the value for others. Never throws: one that cannot be kept is made again by the next who asks. */
  give(stored: StoredValue, by: { readonly runId: string; readonly taskRunId: string }): Promise<void>;
  /** Leaves it to the next in line where no value was given. To be called in the end, whatever came of it. */
  end(): Promise<void>;
}

/** Carries the news that a value has been made, or will not be, between processes. Best effort: a look every second stands behind it. */
export interface CacheNews {
  tell(): Promise<void>;
  /** Calls `listener` whenever another process tells. */
  listen(listener: () => void): Promise<void>;
}

/** An entry that has a value. */
export type MadeEntry = FoundEntry & { readonly value: CachedValue };

/** Whether an entry has a value that has not ended and was made after that instant; null: at any time. */
export function isGood(entry: FoundEntry | null, madeAfter: number | null, now: number): entry is MadeEntry {
  const value = entry?.value ?? null;
  if (value === null || (madeAfter !== null && value.madeAt <= madeAfter)) return false;
  return value.expiresAt === null || value.expiresAt > now;
}
