/** Checks an event and stores it. */
import { Buffer } from 'node:buffer';
import { cutText } from '../base/cut-text.ts';
import { BatutaError } from '../base/errors.ts';
import { hidesValues } from '../base/hidden-values.ts';
import { programName } from '../base/program-name.ts';
import type { EngineServices } from '../engine/services.ts';
import { submittedBy } from '../engine/submit/submitted-by.ts';
import { decodeValue, encodeValue } from '../engine/values/results.ts';
import { refuseSecrets } from '../engine/values/refuse-secrets.ts';
import {
  type EmittedEvent,
  isEventId,
  isEventName,
  maxEventIdChars,
  maxEventNameChars,
  maxPayloadBytes,
} from '../model/triggers/trigger.ts';
import type { NewEvent } from '../store/store.ts';
import type { EmitOptions, EmitReport, EventEntry } from './events-client.ts';

/** Clocks differ: how far ahead an event may be, ms. */
const maxAheadMs = 5 * 60_000;

type Services = Pick<EngineServices, 'store' | 'clock' | 'makeId'>;

/** @throws BatutaError EVENT_INVALID, RESULT_NOT_SERIALIZABLE, OPTION_INVALID, SECRET_EXPOSED, STORE_… */
export async function emitEvent(
  services: Services,
  name: string,
  payload: unknown,
  options: EmitOptions,
  source: string | null = null,
): Promise<EmitReport> {
  const { event, inserted } = await services.store.emitted.add(makeEvent(services, name, payload, options, source));
  return { ...entryOf(event), isDuplicate: !inserted };
}

/** The row of an event. @throws BatutaError EVENT_INVALID, RESULT_NOT_SERIALIZABLE, OPTION_INVALID, SECRET_EXPOSED */
export function makeEvent(
  { clock, makeId }: Services,
  name: string,
  payload: unknown,
  options: EmitOptions,
  source: string | null,
): NewEvent {
  if (!isEventName(name))
    throw invalid(
      `${shown(name)} is not a valid name of an event: use 1 to ${maxEventNameChars} letters, digits, _ . : / and -, and begin with a letter or digit.`,
    );
  const { id = makeId(), traceparent, callerRunId } = options;
  if (!isEventId(id))
    throw invalid(`${shown(id)} is no id of an event: it takes 1 to ${maxEventIdChars} characters, none of them a control character.`);
  const now = clock.now();
  const at = options.at === undefined ? now : Number(options.at);
  if (!Number.isSafeInteger(at) || at < 0 || at > now + maxAheadMs)
    throw invalid(`An event cannot have occurred at ${shown(options.at)}: give an instant that is not in the future.`);
  const what = `payload of event ${name}`;
  const text = encodeValue(payload, what);
  const bytes = text === null ? 0 : Buffer.byteLength(text);
  if (bytes > maxPayloadBytes)
    throw invalid(`The ${what} has ${bytes} bytes; at most ${maxPayloadBytes} are allowed. Pass a reference to it instead.`);
  if (text !== null && hidesValues()) refuseSecrets(text, what);
  const submitted = submittedBy({ traceparent, callerRunId });
  return {
    id,
    name,
    payload: text,
    source,
    at,
    callerRunId: submitted.callerRunId ?? null,
    traceparent: submitted.traceparent ?? null,
  };
}

/** An event as the client returns it. */
export function entryOf({ payload, ...event }: EmittedEvent): EventEntry {
  return { ...event, payload: payload === null ? undefined : decodeValue(payload) };
}

/** The same in a list: an event whose payload cannot be read is listed without it, so that it hides no others. */
export function listedEntryOf(event: EmittedEvent): EventEntry {
  try {
    return entryOf(event);
  } catch {
    return { ...event, payload: undefined };
  }
}

/** The error for an unknown event id. */
export function noEvent(id: string): BatutaError {
  return new BatutaError('EVENT_NOT_FOUND', `No event has the id '${cutText(id, 60, '…')}'. List them: ${programName()} event ls`, {
    details: { id },
  });
}

function invalid(message: string): BatutaError {
  return new BatutaError('EVENT_INVALID', message);
}

function shown(value: unknown): string {
  return cutText(JSON.stringify(value) ?? String(value), 60, '…');
}
