/** Contract of what is kept of keys, sessions and changes made by people. Times are UTC epoch ms. */
import type { ApiKey, AuditEntry } from '../../model/access.ts';
import type { Page } from '../lists/contract.ts';

/** Keys; of each only the hash is kept. */
export interface KeyStore {
  /** One statement. False when there is a key of that hash already. */
  insert(key: ApiKey, hash: string): Promise<boolean>;
  byHash(hash: string): Promise<ApiKey | null>;
  /** Newest first. */
  list(): Promise<readonly ApiKey[]>;
  /** One statement; an earlier instant stays. Gives the key, null when there is none. */
  revoke(id: string, at: number): Promise<ApiKey | null>;
  /** Remembers that it was used. */
  touch(id: string, at: number): Promise<void>;
  /** Whether a key was ever made, revoked and expired ones included. */
  any(): Promise<boolean>;
}

/** Sessions of people who have logged in with a key; of each only the hash of its token is kept. */
export interface SessionStore {
  insert(session: { readonly hash: string; readonly keyId: string; readonly createdAt: number; readonly expiresAt: number }): Promise<void>;
  /** The key it was opened with, as that stands now; null when there is no such session or its time is over. */
  keyOf(hash: string, now: number): Promise<ApiKey | null>;
  delete(hash: string): Promise<void>;
  /** Deletes those whose time was over before the instant. */
  prune(before: number): Promise<void>;
}

export interface AuditStore {
  /** One statement. */
  add(entry: Omit<AuditEntry, 'seq'>): Promise<void>;
  /** Newest first. @throws BatutaError FILTER_INVALID */
  list(filter: { readonly limit?: number | undefined; readonly cursor?: string | undefined }): Promise<Page<AuditEntry>>;
  /** Deletes what is older than the instant, in small batches. */
  prune(before: number): Promise<void>;
}
