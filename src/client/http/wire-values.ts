/** Values of users as they travel: superjson as an object, so that a reader without it can still use the `json` part. */
import { decodeValue, encodeValue } from '../../model/values.ts';

/** `meta` says what JSON cannot: dates, maps, big integers and the like. */
export interface WireValue {
  readonly json: unknown;
  readonly meta?: unknown;
}

/** The value; undefined for null. */
export function valueFromWire(value: WireValue | null): unknown {
  return decodeValue(textOfValue(value));
}

/** The text under which the store keeps it; null for none. */
export function textOfValue(value: WireValue | null): string | null {
  return value === null ? null : JSON.stringify(value);
}

/** To the form that travels; undefined for undefined. @throws BatutaError RESULT_NOT_SERIALIZABLE */
export function valueToWire(value: unknown, what: string): WireValue | undefined {
  const text = encodeValue(value, what);
  return text === null ? undefined : (JSON.parse(text) as WireValue);
}
