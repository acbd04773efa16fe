/** Values of users as they travel: superjson as an object, so that a reader without it can still use the `json` part. */
import { encodeValue } from '../../model/values.ts';
import type { Api } from './api.ts';

/** `meta` says what JSON cannot: dates, maps, big integers and the like. */
export interface WireValue {
  readonly json: unknown;
  readonly meta?: unknown;
}

/** Stands for a value that is too large to be sent with what it belongs to. */
export interface CutValue {
  readonly cut: { readonly bytes: number; readonly download: string };
}

/** Where a large value can be had alone, as a path below `/api/`; null for one that was sent. */
export function downloadOf(value: WireValue | CutValue | null): string | null {
  return value !== null && 'cut' in value ? value.cut.download.replace(/^\/?api\//, '') : null;
}

/** The text under which the store keeps a value; null for none. A large one is fetched. */
export async function textOfValue(api: Api, value: WireValue | CutValue | null): Promise<string | null> {
  if (value === null) return null;
  const download = downloadOf(value);
  return download === null ? JSON.stringify(value) : JSON.stringify(await api.get<WireValue>(download));
}

/** To the form that travels; undefined for undefined. @throws BatutaError RESULT_NOT_SERIALIZABLE */
export function valueToWire(value: unknown, what: string): WireValue | undefined {
  const text = encodeValue(value, what);
  return text === null ? undefined : (JSON.parse(text) as WireValue);
}
