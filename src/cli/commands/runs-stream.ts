/** `batuta runs stream`: the values a run emits while it runs, one per line, or the names of its streams. */
import type { Client } from '../../client/client.ts';
import type { EmissionStream } from '../../store/store.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { Interrupt } from '../interrupt.ts';
import { withClient } from '../open.ts';
import { printList } from '../print.ts';
import { given, readCount, usage } from '../read-options.ts';
import { plainJson } from '../render/plain-json.ts';
import { agoText } from '../render/times.ts';
import { oneLine } from '../render/width.ts';

interface Options extends JsonOption {
  readonly details?: boolean;
  readonly after?: string;
}

/** Most streams named. */
const maxNamed = 10;
/** Lines, and characters, written before waiting for the reader. */
const linesAhead = 256;
const charsAhead = 1024 * 1024;

/** Prints the values until the run has ended; without a name the streams. @throws BatutaError USAGE, NAME_INVALID, RUN_NOT_FOUND */
export async function streamOfRun(context: CommandContext, id: string, stream: string | undefined, options: Options): Promise<ExitStatus> {
  if (stream === undefined) {
    if (options.details || options.after !== undefined) throw usage('--details and --after go with the name of a stream.');
    return withClient(context, (client) => printStreams(context, client, id, options));
  }
  if (options.json) throw usage('--json goes with the list of streams; values are JSON lines as they are.');
  const after = options.after === undefined ? undefined : readCount('--after', options.after, { min: 0, max: Number.MAX_SAFE_INTEGER });
  return withClient(context, async (client) => {
    const { out, gone } = context.terminal;
    const interrupt = new Interrupt({ clock: context.clock, onFirst: () => undefined, onSecond: async () => {} });
    const signal = AbortSignal.any([gone, interrupt.signal]);
    try {
      let [lines, chars, isEmpty] = [0, 0, after === undefined];
      for await (const { value, ...emission } of client.runs.emitted(id, stream, given({ after, signal }))) {
        const plain = plainJson(value);
        const line = JSON.stringify(options.details ? { ...emission, at: new Date(emission.at).toISOString(), value: plain } : plain);
        out.line(line);
        isEmpty = false;
        chars += line?.length ?? 0;
        if (++lines >= linesAhead || chars >= charsAhead) {
          await context.terminal.drain();
          [lines, chars] = [0, 0];
        }
        if (signal.aborted) break;
      }
      if (isEmpty && !signal.aborted) context.terminal.err.line(emptyText(stream, await client.runs.streams(id)));
      return interrupt.status ?? 0;
    } finally {
      interrupt.stop();
    }
  });
}

/** A name may be mistyped. */
function emptyText(stream: string, streams: readonly EmissionStream[]): string {
  const names = streams.map((one) => one.stream);
  const others =
    names.length === 0 ? '' : ` Its streams: ${oneLine(names.slice(0, maxNamed).join(', '))}${names.length > maxNamed ? ', …' : ''}.`;
  return `The run has emitted nothing on ${oneLine(stream)}.${others}`;
}

async function printStreams(context: CommandContext, client: Client, id: string, options: JsonOption): Promise<ExitStatus> {
  return printList<EmissionStream>(context, await client.runs.streams(id), options, {
    columns: [{ head: 'stream' }, { head: 'values', align: 'right' }, { head: 'last' }],
    cells: ({ stream, count, at }) => [stream, String(count), agoText(at, context.clock.now())],
    json: ({ at, ...stream }) => ({ ...stream, at: new Date(at).toISOString() }),
    empty: 'The run has emitted nothing. A task does so with ctx.emit(stream, value).',
  });
}
