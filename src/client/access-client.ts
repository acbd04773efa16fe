/** Contract of keys and of the record of who changed what. Times are UTC epoch ms. */
import type { Page } from '../store/store.ts';

/** Each may do what those before it may: look; run, cancel, pause; change deployments, limits and keys. */
export const roles = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

/** A key as it is listed; the key itself is shown once, when it is made. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: number;
  /** Null: never. */
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
}

/** One change made by a person. */
export interface AuditEntry {
  readonly seq: number;
  readonly at: number;
  readonly keyId: string | null;
  /** Name of the key, `local` without one. */
  readonly who: string;
  /** For example `runs.cancel`. */
  readonly action: string;
  readonly target: string | null;
  readonly details: unknown;
}

export interface KeysClient {
  /** @throws BatutaError NAME_INVALID, OPTION_INVALID (role, expiry in the past) */
  create(options: {
    readonly name: string;
    readonly role: Role;
    readonly expiresAt?: number | null;
  }): Promise<{ readonly key: string; readonly entry: ApiKey }>;
  /** Newest first. */
  list(): Promise<readonly ApiKey[]>;
  /** @throws BatutaError KEY_NOT_FOUND */
  revoke(id: string): Promise<ApiKey>;
}

export interface AuditClient {
  /** Newest first. */
  list(filter?: { readonly limit?: number; readonly cursor?: string }): Promise<Page<AuditEntry>>;
}
