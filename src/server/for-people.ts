/** Data of the API with sensitive parameters masked, wherever recorded parameters are in it. */
import { forPeople } from '../model/sensitive.ts';

/** The same data; returned as is if it holds none. */
export function maskParams<T>(value: T): T {
  return walk(value) as T;
}

function walk(value: unknown): unknown {
  if (typeof value === 'string') return forPeople(value);
  if (Array.isArray(value)) return value.map(walk);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner)]));
}
