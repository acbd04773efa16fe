/** Secrets, variables and connections: as stored and as given to code. Times are UTC epoch ms. */
import { cutText, isLongerThan } from '../base/cut-text.ts';
import { BatutaError } from '../base/errors.ts';

/** Longest value of a secret, bytes of UTF-8. */
export const maxSecretBytes = 64 * 1024;
/** Longest value of a variable, bytes of its JSON. */
export const maxVariableBytes = 256 * 1024;
export const maxDescriptionChars = 1_000;

/** A secret without its value. */
export interface SecretEntry {
  readonly name: string;
  readonly description: string | null;
  /** `stored`: encrypted in the database · `reference`: kept elsewhere. */
  readonly kind: 'stored' | 'reference';
  /** Where it is kept, e.g. `env:STRIPE_KEY`; null if stored. */
  readonly reference: string | null;
  /** Of its encryption key; null for a reference. */
  readonly keyId: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface Variable {
  readonly name: string;
  readonly description: string | null;
  /** Plain JSON. */
  readonly value: unknown;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A connection; for secret fields only where they are. */
export interface ConnectionEntry {
  readonly name: string;
  readonly description: string | null;
  /** `postgres`, `mysql`, `http`, `s3` or `generic`. */
  readonly kind: string;
  /** Its other fields. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Its secret fields by name: the reference, or null if the value is stored here, encrypted. */
  readonly secrets: Readonly<Record<string, string | null>>;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A connection as code gets it: all fields, also secret ones. */
export interface ConnectionValues {
  readonly name: string;
  readonly kind: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Names of the secret ones. */
  readonly secretFields: readonly string[];
}

/** Reads values stored by name; behind `ctx.secret`, `ctx.variable` and connections. */
export interface NamedValues {
  /** @throws BatutaError SECRET_NOT_FOUND, SECRET_KEY_MISSING, SECRET_KEY_WRONG, SECRET_UNREADABLE, STORE_… */
  secret(name: string): Promise<string>;
  /** Null if there is none of that name; `value` may also be null. @throws BatutaError STORE_… */
  findVariable(name: string): Promise<{ readonly value: unknown } | null>;
  /** The error for a missing variable. */
  variableMissing(name: string): Promise<BatutaError>;
  /** @throws BatutaError CONNECTION_NOT_FOUND, SECRET_… */
  connection(name: string): Promise<ConnectionValues>;
}

/** @throws BatutaError NAME_INVALID */
export function checkValueName(what: string, name: string): void {
  if (/^[A-Za-z][\w.-]{0,99}$/.test(name)) return;
  const shown = cutText(name, 40, '…');
  throw new BatutaError(
    'NAME_INVALID',
    `${JSON.stringify(shown)} is not a valid name for ${/^[aeiou]/.test(what) ? 'an' : 'a'} ${what}: begin with a letter and use 1 to 100 letters, digits, _, . or -.`,
    { details: { name: shown } },
  );
}

/** @throws BatutaError OPTION_INVALID */
export function checkDescription(description: string | null): void {
  if (description === null || !isLongerThan(description, maxDescriptionChars)) return;
  throw new BatutaError(
    'OPTION_INVALID',
    `The description has ${[...description].length} characters; at most ${maxDescriptionChars} are allowed.`,
  );
}
