/** Wire form of runs, pages and user values: superjson as an object, so that a reader without it can still use the `json` part. */
import type { FlowRef } from '../../model/flow-types.ts';
import { BatutaError } from '../../base/errors.ts';
import { checkFilter, type ListName } from '../../model/list-filters.ts';
import { encodeValue } from '../../model/values.ts';
import type { Page, RunFilter } from '../../store/store.ts';
import type { EnqueueOptions } from '../client.ts';
import { type CutValue, fromWire, type Wire, type WireValue } from '../wire.ts';
import type { Api, QueryValues, RequestOptions } from './api.ts';

/** Where a large value can be fetched, as a path below `/api/`; null for one that was sent. */
export function downloadOf(value: WireValue | CutValue | null): string | null {
  return value !== null && 'cut' in value ? value.cut.download.replace(/^\/?api\//, '') : null;
}

/** A value as text, as the store keeps it; null for none. A large one is fetched. */
export async function textOfValue(api: Api, value: WireValue | CutValue | null): Promise<string | null> {
  if (value === null) return null;
  const download = downloadOf(value);
  return download === null ? JSON.stringify(value) : JSON.stringify(await api.get<WireValue>(download));
}

/** To wire form; undefined for undefined. @throws BatutaError RESULT_NOT_SERIALIZABLE */
export function valueToWire(value: unknown, what: string): WireValue | undefined {
  const text = encodeValue(value, what);
  return text === null ? undefined : (JSON.parse(text) as WireValue);
}

/** A list in wire form; `next` is null, or missing if a list has no pages. */
export interface WirePage<T> {
  readonly items: readonly Wire<T>[];
  readonly next?: string | null;
}

/** Converts each item back. */
export function pageFromWire<T>({ items, next }: WirePage<T>, itemOf: (item: Wire<T>) => T = (item) => fromWire<T>(item)): Page<T> {
  return { items: items.map(itemOf), next: next ?? null };
}

/** A path of the API, part by part, not encoded yet. */
type Parts = readonly string[];

/** @throws BatutaError REQUEST_INVALID for a part that would lead elsewhere, such as `..`, or that no URL can hold */
export function pathTo(parts: Parts): string {
  return parts.map(segmentOf).join('/');
}

function segmentOf(part: string): string {
  // URLs are normalized even if dots are encoded: `runs/../workers` would ask for the workers.
  if (!/^\.{0,2}$/.test(part) && isWellFormed(part)) return encodeURIComponent(part);
  throw new BatutaError('REQUEST_INVALID', `${JSON.stringify(part)} is no name or id.`, { details: { value: part } });
}

function isWellFormed(text: string): boolean {
  return !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);
}

/** Reads one object. */
export async function read<T>(api: Api, path: Parts, query?: QueryValues): Promise<T> {
  return fromWire<T>(await api.get<Wire<T>>(pathTo(path), query));
}

/** Reads a page of a list. */
export async function readPage<T>(api: Api, path: Parts, query?: QueryValues): Promise<Page<T>> {
  return pageFromWire<T>(await api.get<WirePage<T>>(pathTo(path), query));
}

/** The same by the filter of a list. @throws BatutaError FILTER_INVALID */
export async function readFiltered<T>(api: Api, list: ListName, path: Parts, filter: object = {}): Promise<Page<T>> {
  checkFilter(list, filter);
  return await readPage<T>(api, path, { ...filter });
}

/** Reads a list without pages. */
export async function readItems<T>(api: Api, path: Parts, query?: QueryValues): Promise<readonly T[]> {
  return (await readPage<T>(api, path, query)).items;
}

/** Posts a body. @param options whether it may be repeated; default not */
export async function send<T>(api: Api, path: Parts, body?: object, options?: Pick<RequestOptions, 'repeatable'>): Promise<T> {
  return fromWire<T>(await api.post<Wire<T>>(pathTo(path), body, options));
}

/** Creates or replaces an object. */
export async function put<T>(api: Api, path: Parts, body: object): Promise<T> {
  return fromWire<T>(await api.request<Wire<T>>('PUT', pathTo(path), { body }));
}

/** Deletes an object. */
export async function remove(api: Api, path: Parts, query: QueryValues = {}): Promise<void> {
  await api.request('DELETE', pathTo(path), { query });
}

/** An instant as text; undefined for undefined. */
export function isoOf(at: number | Date | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}

/** Parameters are sent as superjson, to preserve dates and similar. @throws BatutaError RESULT_NOT_SERIALIZABLE */
export function enqueueBody(params: unknown, { startAt, ...options }: EnqueueOptions): object {
  return { ...options, params: valueToWire(params, 'parameters'), startAt: isoOf(startAt) };
}

/** A name is used as is. @throws BatutaError if the declaration of a class is refused */
export async function nameOfFlow(flow: FlowRef): Promise<string> {
  if (typeof flow === 'string') return flow;
  if (typeof flow !== 'function') return flow.name;
  // Lazy: a caller that names its flows needs no decorators.
  const { definitionOf } = await import('../../define/definition.ts');
  return definitionOf(flow).name;
}

/** The sender omits undefined members. @throws BatutaError FILTER_INVALID */
export function runQuery(filter: RunFilter): QueryValues {
  checkFilter('runs', filter);
  const { states, since, until, parentRunId, backfillId, scheduleId, ...rest } = filter;
  return {
    ...rest,
    state: states,
    since: isoOf(since),
    until: isoOf(until),
    backfill: backfillId,
    schedule: scheduleId,
    parent: parentRunId === null ? 'none' : parentRunId,
  };
}
