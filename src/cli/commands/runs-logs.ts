/** `batuta runs logs`: what a run logged, from the start, from the end, or as it comes. */
import { isTerminal } from '../../model/state.ts';
import type { LogFilter, StoredLogLine } from '../../store/store.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { LogReader, pageLines } from '../log-reader.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { readCount, readLevel } from '../read-options.ts';
import { logLineJson } from '../render/json.ts';
import { logLineText } from '../render/log-line.ts';

interface Options {
  readonly task?: string;
  readonly level?: string;
  readonly tail?: string;
  readonly follow?: boolean;
  readonly json?: boolean;
}

const maxTail = 10_000;
const followMs = 250;

/** Prints the lines. Without `--tail` all of them, however many. */
export async function printLogs(context: CommandContext, id: string, options: Options): Promise<ExitStatus> {
  const minLevel = options.level === undefined ? undefined : readLevel(options.level);
  const tail = options.tail === undefined ? undefined : readCount('--tail', options.tail, { min: 0, max: maxTail });
  return withClient(context, async (client) => {
    const run = await client.runs.get(id);
    const reader = new LogReader(client, run.id, options.task);
    await reader.nameTasks();
    const base: LogFilter = minLevel === undefined ? {} : { minLevel };
    const sink = new LineSink(context, reader, options.json === true, options.follow === true);
    let after = await printStored(reader, sink, base, tail);
    // Asked before the read that follows, so that lines written between the two are not missed.
    for (let ended = isTerminal(run.state.type); options.follow && !context.terminal.gone.aborted; ) {
      after = await printFrom(reader, sink, base, after);
      if (ended) break;
      await context.clock.sleep(followMs);
      ended = isTerminal((await client.runs.get(run.id)).state.type);
    }
    return sink.end();
  });
}

async function printStored(reader: LogReader, sink: LineSink, base: LogFilter, tail: number | undefined): Promise<number> {
  if (tail === undefined) return printFrom(reader, sink, base, 0);
  const lines = tail === 0 ? [] : await reader.tail(base, tail);
  sink.put(lines);
  return lines.at(-1)?.seq ?? (await reader.lastSeq());
}

async function printFrom(reader: LogReader, sink: LineSink, base: LogFilter, start: number): Promise<number> {
  for (let after = start; ; ) {
    const page = await reader.page({ ...base, after, limit: pageLines });
    sink.put(page.lines);
    after = page.last ?? after;
    if (page.read < pageLines) return after;
  }
}

/** Prints lines as text, as one array, or as one object a line. */
class LineSink {
  readonly #context: CommandContext;
  readonly #reader: LogReader;
  readonly #gathered: object[] | null;
  readonly #json: boolean;

  constructor(context: CommandContext, reader: LogReader, json: boolean, follow: boolean) {
    this.#context = context;
    this.#reader = reader;
    this.#json = json;
    this.#gathered = json && !follow ? [] : null;
  }

  put(lines: readonly StoredLogLine[]): void {
    const { out } = this.#context.terminal;
    for (const line of lines) {
      const task = this.#reader.labelOf(line);
      if (this.#gathered) this.#gathered.push(logLineJson(line, task));
      else out.line(this.#json ? JSON.stringify(logLineJson(line, task)) : logLineText(line, task, out.paint));
    }
  }

  end(): ExitStatus {
    return this.#gathered ? printJson(this.#context.terminal, this.#gathered) : 0;
  }
}
