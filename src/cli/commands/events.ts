/** `batuta event emit|ls|show`. */
import { programName } from '../../base/program-name.ts';
import type { EventEntry } from '../../client/events-client.ts';
import { toWire } from '../../client/wire.ts';
import { maxPayloadBytes } from '../../model/triggers/trigger.ts';
import { noteLocally } from '../audit.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printJson, printLines, printList } from '../print.ts';
import { readPlainGiven } from '../read-given.ts';
import { given, readLimit, readSince, usage } from '../read-options.ts';
import { plainJson } from '../render/plain-json.ts';
import { agoText } from '../render/times.ts';
import { valueLines } from '../render/value.ts';
import { oneLine } from '../render/width.ts';

interface EmitCommandOptions extends JsonOption {
  readonly id?: string;
  readonly at?: string;
}

interface ListOptions extends JsonOption {
  readonly name?: string;
  readonly source?: string;
  readonly since?: string;
  readonly limit: string;
}

/** Emits an event; reports if one with its id exists. */
export async function emitEvent(
  context: CommandContext,
  name: string,
  from: string | undefined,
  options: EmitCommandOptions,
): Promise<ExitStatus> {
  const payload = from === undefined ? undefined : readJson(await readPlainGiven(context, from, maxPayloadBytes));
  const { id, at } = options;
  const wish = given({ id, at: at === undefined ? undefined : readSince('--at', at, context.clock.now()) });
  const report = await withClient(context, async (client) => {
    const emitted = await client.events.emit(name, payload, wish);
    if (!emitted.isDuplicate) await noteLocally(client, 'events.emit', emitted.id, { name });
    return emitted;
  });
  if (options.json) return printJson(context.terminal, { ...eventJson(report), isDuplicate: report.isDuplicate });
  const { out } = context.terminal;
  out.line(
    report.isDuplicate
      ? `There is an event ${oneLine(report.id)} already; nothing was done.`
      : `Emitted ${report.name}, event ${oneLine(report.id)}.`,
  );
  return 0;
}

/** Lists them, newest first. */
export async function listEvents(context: CommandContext, options: ListOptions): Promise<ExitStatus> {
  const limit = readLimit(options.limit);
  const now = context.clock.now();
  const since = options.since === undefined ? undefined : readSince('--since', options.since, now);
  const { items, next } = await withClient(context, ({ events }) =>
    events.list(given({ name: options.name, source: options.source, since, limit })),
  );
  return printList(context, items, options, {
    columns: [{ head: 'event', max: 60 }, { head: 'received' }, { head: 'from', max: 40, drop: 1 }, { head: 'id', max: 60 }],
    cells: (event, paint) => [
      paint.bold(oneLine(event.name)),
      agoText(event.receivedAt, now),
      oneLine(originOf(event)),
      paint.dim(oneLine(event.id)),
    ],
    json: eventJson,
    empty: `No events yet. Emit one: ${programName()} event emit order.created '{"id":1}'`,
    cut: next === null ? null : 'newest',
  });
}

/** Shows one with its payload. */
export async function showEvent(context: CommandContext, id: string, options: JsonOption): Promise<ExitStatus> {
  const event = await withClient(context, ({ events }) => events.get(id));
  if (options.json) return printJson(context.terminal, eventJson(event));
  const { out } = context.terminal;
  const { paint } = out;
  const now = context.clock.now();
  const occurred = Math.abs(event.at - event.receivedAt) < 1_000 ? '' : `, occurred ${agoText(event.at, now)}`;
  printLines(out, [
    `${paint.bold(oneLine(event.name))}  ${paint.dim(oneLine(event.id))}`,
    `received ${agoText(event.receivedAt, now)}${occurred}${originOf(event) === '' ? '' : `, from ${oneLine(originOf(event))}`}`,
    ...(event.payload === undefined ? [] : valueLines(event.payload, { color: paint.isColorSupported, width: out.columns })),
  ]);
  return 0;
}

function originOf({ source, callerRunId }: EventEntry): string {
  return source ?? (callerRunId === null ? '' : `run ${callerRunId}`);
}

function eventJson({ payload, ...event }: EventEntry): object {
  return { ...toWire(event), payload: payload === undefined ? null : plainJson(payload) };
}

/** Refuses what is not JSON: text meant as an object would start runs that fail. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw usage(`The payload is not JSON: ${(cause as Error).message}. Write for example '{"id":1}', or @file.`);
  }
}
