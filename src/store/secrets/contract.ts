/** Contract of secrets, variables and connections as they are stored. Times are UTC epoch ms. */
import type { Variable } from '../../model/secret.ts';

/** What was sealed with a key, or where a value is kept. */
export type StoredSecretValue = { readonly sealed: string } | { readonly reference: string };

export interface StoredSecret {
  readonly name: string;
  readonly description: string | null;
  readonly value: StoredSecretValue;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface StoredConnection {
  readonly name: string;
  readonly description: string | null;
  readonly kind: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, StoredSecretValue>>;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Rows known by their name. */
export interface NamedStore<T> {
  /** One statement: creates or replaces by name; keeps when it was made. Returns the stored row. */
  put(row: T): Promise<T>;
  get(name: string): Promise<T | null>;
  /** By name. */
  list(): Promise<readonly T[]>;
  /** Only names, sorted. */
  names(): Promise<readonly string[]>;
  /** One statement: replaces what was read, unless that has changed meanwhile. Returns whether it did. */
  replace(before: T, after: T): Promise<boolean>;
  /** Whether there was one. */
  delete(name: string): Promise<boolean>;
}

export type SecretStore = NamedStore<StoredSecret>;
export type VariableStore = NamedStore<Variable>;
export type ConnectionStore = NamedStore<StoredConnection>;
