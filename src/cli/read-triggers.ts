/** Triggers of a deployment from `--on` and related options. */
import type { TriggerParts } from '../client/deployments-client.ts';
import type { FilterValue } from '../model/triggers/trigger.ts';
import { given, readDuration, usage } from './read-options.ts';

export interface TriggerOptions {
  readonly on: readonly string[];
  readonly where: readonly string[];
  readonly map: readonly string[];
  readonly within?: string;
  readonly debounce?: string;
  readonly maxWait?: string;
  readonly by?: string;
  readonly backfills?: boolean;
}

/** Each `--on` is its own trigger; with `--within` all are one. The other options apply to each. @throws BatutaError USAGE */
export function readTriggers(options: TriggerOptions): readonly TriggerParts[] {
  const { on, where, map, within, debounce, maxWait, by, backfills } = options;
  if (on.length === 0) {
    const lone = Object.entries({ where: where[0], map: map[0], within, debounce, 'max-wait': maxWait, by, backfills }).find(
      ([, value]) => value !== undefined,
    );
    if (lone) throw usage(`--${lone[0]} has no effect without --on.`);
    return [];
  }
  if (maxWait !== undefined && debounce === undefined) throw usage('--max-wait goes with --debounce.');
  const wait = debounce === undefined ? undefined : readDuration('--debounce', debounce);
  const shared = given({
    where: where.length === 0 ? undefined : Object.fromEntries(filtersOf(where)),
    params: map.length === 0 ? undefined : Object.fromEntries(map.map((pair) => pairOf('--map', pair, 'parameter=path'))),
    within: within === undefined ? undefined : readDuration('--within', within),
    debounce: wait === undefined ? undefined : { wait, ...(maxWait === undefined ? {} : { maxWait: readDuration('--max-wait', maxWait) }) },
    by,
    backfills: backfills || undefined,
  });
  return within === undefined ? on.map((source) => ({ on: source, ...shared })) : [{ on: on.length === 1 ? (on[0] ?? '') : on, ...shared }];
}

/** Several for one path are alternative values. Texts that are JSON are read as JSON. */
function filtersOf(where: readonly string[]): ReadonlyMap<string, readonly FilterValue[]> {
  const filters = new Map<string, FilterValue[]>();
  for (const pair of where) {
    const [path, text] = pairOf('--where', pair, 'path=value');
    filters.set(path, [...(filters.get(path) ?? []), valueOf(text)]);
  }
  return filters;
}

function valueOf(text: string): FilterValue {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? text : (value as FilterValue);
  } catch {
    return text;
  }
}

function pairOf(option: string, pair: string, form: string): [string, string] {
  const at = pair.indexOf('=');
  if (at <= 0) throw usage(`${option} takes ${form}, not '${pair}'.`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}
