/** Contract of keys and of the record of who changed what. Times are UTC epoch ms. */
import type { ApiKey, AuditEntry, Role } from '../model/access.ts';
import type { Page } from '../store/store.ts';

export type { ApiKey, AuditEntry, Role } from '../model/access.ts';

export interface KeysClient {
  /** @throws BatutaError NAME_INVALID, OPTION_INVALID (role, expiry in the past) */
  create(options: {
    readonly name: string;
    readonly role: Role;
    readonly expiresAt?: number | null;
  }): Promise<{ readonly key: string; readonly entry: ApiKey }>;
  /** Newest first. */
  list(): Promise<readonly ApiKey[]>;
  /** By id, or a beginning or end of it. A revoked key stays as it is. @throws BatutaError KEY_NOT_FOUND (none, or several) */
  revoke(id: string): Promise<ApiKey>;
}

export interface AuditClient {
  /** Newest first. `limit` 1 to 1000, default 50. @throws BatutaError FILTER_INVALID */
  list(filter?: { readonly limit?: number; readonly cursor?: string }): Promise<Page<AuditEntry>>;
}
