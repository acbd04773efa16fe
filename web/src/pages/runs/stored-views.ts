/** Filters saved under a name, in this browser. */
import { useSyncExternalStore } from 'react';
import { readRunsSearch, type RunsSearch } from './runs-search.ts';
import { parseSearch, stringifySearch } from '../../search.ts';

/** A set of filters with a name. */
export interface SavedView {
  readonly name: string;
  readonly search: RunsSearch;
}

const storageKey = 'batuta-saved-views';
const watchers = new Set<() => void>();

/** Built-in views. */
export const standingViews: readonly SavedView[] = [
  { name: 'Failed in the last 24 h', search: { state: ['FAILED', 'CRASHED'] } },
  { name: 'Running', search: { state: ['RUNNING'], last: 'all' } },
  { name: 'Waiting', search: { state: ['SCHEDULED', 'PENDING'], last: 'all' } },
  { name: 'Late', search: { state: ['Late'], last: 'all' } },
];

/** The views saved here, by name. */
export function useSavedViews(): readonly SavedView[] {
  const text = useSyncExternalStore(watch, () => localStorage.getItem(storageKey) ?? '[]');
  return read(text);
}

/** Saves a view; one of the same name is replaced. */
export function saveView(view: SavedView): void {
  const others = read(localStorage.getItem(storageKey) ?? '[]').filter(({ name }) => name !== view.name);
  write([...others, view].sort((one, other) => one.name.localeCompare(other.name)));
}

/** Deletes a view. */
export function forgetView(name: string): void {
  write(read(localStorage.getItem(storageKey) ?? '[]').filter((view) => view.name !== name));
}

/** Whether the address shows this view. */
export function isShown(view: SavedView, search: RunsSearch): boolean {
  return stringifySearch(sorted(view.search)) === stringifySearch(sorted(search));
}

function sorted(search: RunsSearch): object {
  return Object.fromEntries(Object.entries(search).sort(([one], [other]) => one.localeCompare(other)));
}

/** Stored as the query string of an address, and parsed by the same rules, so that the result is valid. */
function read(text: string): readonly SavedView[] {
  try {
    const views = JSON.parse(text) as readonly { readonly name?: unknown; readonly search?: unknown }[];
    return views.map(({ name, search }) => ({ name: String(name), search: readRunsSearch(parseSearch(String(search))) }));
  } catch {
    return [];
  }
}

function write(views: readonly SavedView[]): void {
  localStorage.setItem(storageKey, JSON.stringify(views.map(({ name, search }) => ({ name, search: stringifySearch(search) }))));
  for (const onChange of watchers) onChange();
}

function watch(onChange: () => void): () => void {
  watchers.add(onChange);
  window.addEventListener('storage', onChange);
  return () => {
    watchers.delete(onChange);
    window.removeEventListener('storage', onChange);
  };
}
