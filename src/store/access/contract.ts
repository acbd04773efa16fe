/** Contract of what is kept of keys, sessions and changes made by people. Times are UTC epoch ms. */
import type { ApiKey, AuditEntry } from '../../model/access.ts';
import type { Page } from '../lists/contract.ts';

/** Keys; of each only the hash is kept. */
export interface KeyStore {
  /** One statement. False if a key of that hash exists. */
  insert(key: ApiKey, hash: string): Promise<boolean>;
  byHash(hash: string): Promise<ApiKey | null>;
  /** Newest first. */
  list(): Promise<readonly ApiKey[]>;
  /** One statement; an earlier instant stays. Returns the key, null if there is none. */
  revoke(id: string, at: number): Promise<ApiKey | null>;
  /** Records its use. */
  touch(id: string, at: number): Promise<void>;
  /** Whether a key was ever made, including revoked and expired ones. */
  any(): Promise<boolean>;
}

/** Sessions of people who have logged in with a key; only the hash of each token is kept. */
export interface SessionStore {
  insert(session: { readonly hash: string; readonly keyId: string; readonly createdAt: number; readonly expiresAt: number }): Promise<void>;
  /** The current state of the key it was opened with; null if there is no such session or it has expired. */
  keyOf(hash: string, now: number): Promise<ApiKey | null>;
  delete(hash: string): Promise<void>;
  /** Deletes sessions that expired before the instant. */
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
