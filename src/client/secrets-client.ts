/** Contract of secrets, variables and connections. Times are UTC epoch ms. */
import type { ConnectionEntry, SecretEntry, Variable } from '../model/secret.ts';

export type { ConnectionEntry, SecretEntry, Variable } from '../model/secret.ts';

/** A secret in a list: its name, and the rest for admins only. */
export type ListedSecret = Pick<SecretEntry, 'name'> & Partial<SecretEntry>;
/** The same for a connection. */
export type ListedConnection = Pick<ConnectionEntry, 'name' | 'kind'> & Partial<ConnectionEntry>;

/** The value, to be encrypted, or the reference to where it is kept: `env:NAME`, `file:/path`, `vault:…`. */
export type SecretWish = { readonly value: string } | { readonly reference: string };

/** Outcome of a move to the current key. */
export interface RotationReport {
  /** Id of the key that now encrypts everything except what failed. */
  readonly keyId: string;
  /** Values re-encrypted, and those already up to date. */
  readonly moved: number;
  readonly current: number;
  /** Unreadable values, e.g. `secret 'stripe'`, and why. */
  readonly failed: readonly { readonly what: string; readonly why: string }[];
}

export interface SecretsClient {
  /** By name. */
  list(): Promise<readonly ListedSecret[]>;
  /** @throws BatutaError SECRET_NOT_FOUND */
  get(name: string): Promise<SecretEntry>;
  /**
   * Creates or replaces; an omitted description stays.
   *
   * @throws BatutaError NAME_INVALID, OPTION_INVALID (empty or too large, no reference), SECRET_KEY_MISSING
   */
  set(name: string, wish: SecretWish & { readonly description?: string | null }): Promise<SecretEntry>;
  /** @throws BatutaError SECRET_NOT_FOUND */
  delete(name: string): Promise<void>;
  /**
   * Encrypts every stored secret, and the secret fields of connections, with the current key. Each is one statement: an interrupted
   * rotation leaves some under the old key and some under the new, all readable while both keys are set; run it again to finish.
   *
   * @throws BatutaError SECRET_KEY_MISSING
   */
  rotate(): Promise<RotationReport>;
}

export interface VariablesClient {
  /** By name. */
  list(): Promise<readonly Variable[]>;
  /** @throws BatutaError VARIABLE_NOT_FOUND */
  get(name: string): Promise<Variable>;
  /** Creates or replaces; an omitted description stays. @throws BatutaError NAME_INVALID, OPTION_INVALID (no JSON, too large) */
  set(name: string, wish: { readonly value: unknown; readonly description?: string | null }): Promise<Variable>;
  /** @throws BatutaError VARIABLE_NOT_FOUND */
  delete(name: string): Promise<void>;
}

/** A connection to be set: plain fields, and secret ones by value or reference. An omitted secret field stays as it was. */
export interface ConnectionWish {
  /** Default: the existing connection's. */
  readonly kind?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, SecretWish>>;
  readonly description?: string | null;
}

export interface ConnectionsClient {
  /** By name. */
  list(): Promise<readonly ListedConnection[]>;
  /** @throws BatutaError CONNECTION_NOT_FOUND */
  get(name: string): Promise<ConnectionEntry>;
  /**
   * Creates or replaces.
   *
   * @throws BatutaError NAME_INVALID, CONNECTION_INVALID (its fields do not fit its kind), OPTION_INVALID (too large), SECRET_KEY_MISSING
   */
  set(name: string, wish: ConnectionWish): Promise<ConnectionEntry>;
  /** @throws BatutaError CONNECTION_NOT_FOUND */
  delete(name: string): Promise<void>;
}
