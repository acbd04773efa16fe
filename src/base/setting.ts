/** One setting: its name, its kind, its default and what it is for. */
import type { Kind } from './setting-values.ts';

/** What a default may depend on. */
export interface DefaultBasis {
  readonly databaseUrl: string;
  /** Whether people watch the log. */
  readonly isTty: boolean;
}

/** A setting's names, reading and display. */
export interface Setting<T> extends Kind<T> {
  /** Name in `batuta.config.ts`, and of the flag. */
  readonly name: string;
  readonly env: `BATUTA_${string}`;
  readonly about: string;
  /** The default as in the reference. */
  readonly defaultText: string;
  defaultValue(basis: DefaultBasis): T;
}

/** A default that depends on something, and its text in the reference. */
interface Derived<T> {
  readonly words: string;
  readonly from: (basis: DefaultBasis) => T;
}

/** A row of the table. Its variable is named after it: `maxBody` is `BATUTA_MAX_BODY`. */
export function setting<T>(name: string, kind: Kind<T>, byDefault: NoInfer<T | Derived<T>>, about: string): Setting<T> {
  const env = `BATUTA_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}` as const;
  if (isDerived(byDefault)) return { ...kind, name, env, about, defaultText: byDefault.words, defaultValue: byDefault.from };
  const defaultText = byDefault === null || (Array.isArray(byDefault) && byDefault.length === 0) ? '(unset)' : kind.show(byDefault);
  return { ...kind, name, env, about, defaultText, defaultValue: () => byDefault };
}

function isDerived<T>(byDefault: T | Derived<T>): byDefault is Derived<T> {
  return typeof byDefault === 'object' && byDefault !== null && 'from' in byDefault;
}
