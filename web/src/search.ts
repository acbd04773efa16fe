/** Filters and tabs live in the address: `?state=Failed&state=Late&flow=sync`. Everything is text; a list repeats its name. */
import { type Query, queryText } from './api/http.ts';

/** Query string values before a route has checked them. */
export type RawSearch = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Reads the query string of an address. */
export function parseSearch(text: string): RawSearch {
  const parameters = new URLSearchParams(text);
  return Object.fromEntries(
    [...new Set(parameters.keys())].map((name) => {
      const values = parameters.getAll(name);
      return [name, values.length === 1 ? values[0] : values];
    }),
  );
}

/** Writes it, with the question mark; '' if there are no values. */
export function stringifySearch(search: object): string {
  const text = queryText(search as Query);
  return text === '' ? '' : `?${text}`;
}

/** One value of a name, undefined if there is none. */
export function one(search: RawSearch, name: string): string | undefined {
  const value = search[name];
  const first = typeof value === 'object' ? value[0] : value;
  return first === '' ? undefined : first;
}

/** All values of a name, undefined if there is none. */
export function many(search: RawSearch, name: string): readonly string[] | undefined {
  const value = search[name];
  if (value === undefined || value === '') return undefined;
  return typeof value === 'object' ? value : [value];
}

/** The value if it is one of these, else undefined. */
export function oneOf<T extends string>(search: RawSearch, name: string, allowed: readonly T[]): T | undefined {
  const value = one(search, name);
  return allowed.find((item) => item === value);
}
