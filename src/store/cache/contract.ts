/**
 * Contract of the cache: values that tasks have made, found by later runs under the id of what they were made of.
 *
 * An entry is leased work: the maker of its value holds it (owner, lease, epoch), and anyone may take that over once the lease ends. Leases
 * go by the clock of the database; when a value was made and expires, by the clock of the flows. All times are UTC epoch ms.
 */
import type { CachedFrom, CacheUse } from '../../model/cache.ts';
import type { Owner } from '../../model/run.ts';
import type { Page } from '../lists/contract.ts';
import type { CacheClaim } from '../ownership.ts';

/** What an entry stands for. */
export interface CacheKey {
  /** Hash of all of it. */
  readonly id: string;
  readonly flow: string;
  readonly task: string;
  /** Version of the code that makes the value. */
  readonly version: string;
  /** The only run whose task runs find it; null: those of all runs. */
  readonly scopeRunId: string | null;
  /** The key or the inputs, for people; cut. */
  readonly shown: string;
}

/** The value of an entry as found. */
export interface CachedValue extends Omit<CachedFrom, 'entry'> {
  /** Null: forever. */
  readonly expiresAt: number | null;
  readonly result: string | null;
  /** Key in the result storage; its content is kept as long as the entry. */
  readonly resultRef: string | null;
}

/** What a lookup finds. */
export interface FoundEntry extends CacheUse {
  readonly id: string;
  /** Null: none yet. */
  readonly value: CachedValue | null;
  /** Who is making a value now; null: nobody. */
  readonly maker: { readonly owner: Owner | null; readonly runId: string | null; readonly isOver: boolean } | null;
}

/** An entry as people see it, without its value. */
export interface CacheEntry extends CacheKey, CacheUse {
  /** Run and task run that made its value; null if there is none. */
  readonly runId: string | null;
  readonly taskRunId: string | null;
  readonly madeAt: number | null;
  /** Null: never, or there is no value yet. */
  readonly expiresAt: number | null;
  /** Size of the value as text, bytes; null if there is none. */
  readonly bytes: number | null;
  /** How often a caller waited for another that was making the value. */
  readonly waits: number;
  /** When it was last found or made. */
  readonly usedAt: number;
  /** Run that is making a value; null: none. */
  readonly makingRunId: string | null;
}

/** Which entries; empty means all. */
export interface CacheFilter {
  readonly flow?: string;
  readonly task?: string;
  /** Id of an entry, or at least its first 4 characters; or part of what it was made of, in any case. */
  readonly key?: string;
  /** Whether the value has expired. */
  readonly expired?: boolean;
}

export interface CachePageFilter extends CacheFilter {
  /** 1 to 1,000; default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** Figures of the whole cache. */
export interface CacheTotals {
  readonly entries: number;
  readonly bytes: number;
  readonly hits: number;
  readonly misses: number;
  readonly waits: number;
}

/** What was removed from the cache. */
export interface RemovedEntries {
  readonly entries: number;
  /** Unreferenced keys in the result storage; the caller removes the files. */
  readonly resultRefs: readonly string[];
}

/** How an entry was used since the last count. */
export interface CountedUse {
  readonly id: string;
  readonly hits: number;
  readonly waits: number;
  readonly usedAt: number;
  /** New expiry of the value made at `madeAt`; undefined: unchanged. */
  readonly expiry?: { readonly madeAt: number; readonly expiresAt: number | null } | undefined;
}

export interface ClaimWish {
  readonly key: CacheKey;
  readonly owner: Owner;
  readonly leaseMs: number;
  readonly runId: string;
  readonly taskRunId: string;
  /** Now, by the clock of the flows. */
  readonly at: number;
  /** A value made before is skipped as too old. Null: any that has not expired will do. */
  readonly madeAfter: number | null;
  /** A maker known to be gone, whatever its lease says; null: none. */
  readonly gone: Owner | null;
}

export interface CacheStore {
  /** One statement: the existing ones of these ids. */
  find(ids: readonly string[]): Promise<readonly FoundEntry[]>;
  /** One atomic statement: makes the caller the maker unless there is a value or a living maker; null if there is. Counts a miss. */
  claim(wish: ClaimWish): Promise<CacheClaim | null>;
  /** One statement for all; returns the lost ones. */
  renew(claims: readonly CacheClaim[], leaseMs: number): Promise<readonly CacheClaim[]>;
  /**
   * One transaction: the value, replacing an earlier one, and the end of the claim. False if the claim was lost. A key no longer referenced
   * is passed to `onLoose`.
   */
  put(claim: CacheClaim, value: CachedValue, onLoose: (resultRef: string) => void): Promise<boolean>;
  /** One statement: ends the claim without a value. Silently refused if it was lost. */
  release(claim: CacheClaim): Promise<void>;
  /** One statement for all. */
  count(uses: readonly CountedUse[]): Promise<void>;
  /** Last used first. @throws BatutaError FILTER_INVALID */
  list(filter: CachePageFilter & { readonly at: number }): Promise<Page<CacheEntry>>;
  /** One entry with its value, by its id or a unique beginning of it; null if there is none. */
  get(id: string): Promise<(CacheEntry & Pick<CachedValue, 'result' | 'resultRef'>) | null>;
  totals(): Promise<CacheTotals>;
  /** Batch by batch, each one transaction. Entries being made lose their value and continue. */
  remove(filter: CacheFilter & { readonly at: number }): Promise<RemovedEntries>;
  /** The same for expired values, and those without expiry that were not used for `keepMs` (null: they stay). */
  expire(at: number, keepMs: number | null): Promise<RemovedEntries>;
}
