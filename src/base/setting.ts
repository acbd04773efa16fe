/** One row of the table of settings. */

/** What a default may depend on. */
export interface DefaultBasis {
  readonly databaseUrl: string;
  /** Whether people watch what is logged. */
  readonly isTty: boolean;
}

/** How one setting is named, read and shown. */
export interface Setting<T> {
  /** Name in `batuta.config.ts`, and of the flag. */
  readonly name: string;
  readonly env: `BATUTA_${string}`;
  readonly about: string;
  /** The default as the reference names it. */
  readonly defaultText: string;
  defaultValue(basis: DefaultBasis): T;
  /** @throws Error (or BatutaError) whose message says what the value must be. */
  read(value: unknown): T;
  /** The value as it may be printed: secrets hidden. */
  show(value: T): string;
}
