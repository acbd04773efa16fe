/** `batuta runs logs`: a run's log, from the start, from the end, or as it is written. */
import { hintFor } from '../../base/nearest.ts';
import type { Client } from '../../client/client.ts';
import { fitsId } from '../../model/ids.ts';
import type { TaskRun } from '../../model/run.ts';
import { isTerminal } from '../../model/state.ts';
import type { LogFilter, StoredLogLine } from '../../store/store.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print.ts';
import { given, readCount, readLevel, usage } from '../read-options.ts';
import { logLineJson } from '../render/json.ts';
import { logLineText } from '../render/log-line.ts';
import { taskLabel } from '../render/summary.ts';

interface Options extends JsonOption {
  readonly task?: string;
  readonly level?: string;
  readonly tail?: string;
  readonly follow?: boolean;
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
    const base: LogFilter = given({ minLevel });
    const gathered: object[] = [];
    const { out, gone } = context.terminal;
    const put = (line: StoredLogLine): void => {
      const task = reader.labelOf(line);
      if (options.json && !options.follow) gathered.push(logLineJson(line, task));
      else out.line(options.json ? JSON.stringify(logLineJson(line, task)) : logLineText(line, task, out.paint));
    };
    let after = await printStored(reader, put, base, tail);
    // Checked before the read, so that lines written in between are not missed.
    for (let ended = isTerminal(run.state.type); options.follow && !gone.aborted; ) {
      after = await printFrom(reader, put, base, after);
      if (ended) break;
      await context.clock.sleep(followMs);
      ended = isTerminal((await client.runs.get(run.id)).state.type);
    }
    return options.json && !options.follow ? printJson(context.terminal, gathered) : 0;
  });
}

type Put = (line: StoredLogLine) => void;

async function printStored(reader: LogReader, put: Put, base: LogFilter, tail: number | undefined): Promise<number> {
  if (tail === undefined) return printFrom(reader, put, base, 0);
  const lines = tail === 0 ? [] : await reader.tail(base, tail);
  lines.forEach(put);
  return lines.at(-1)?.seq ?? (await reader.lastSeq());
}

async function printFrom(reader: LogReader, put: Put, base: LogFilter, start: number): Promise<number> {
  for (let after = start; ; ) {
    const page = await reader.page({ ...base, after, limit: pageLines });
    page.lines.forEach(put);
    after = page.last ?? after;
    if (page.read < pageLines) return after;
  }
}

/** Lines in a full page. */
export const pageLines = 1_000;

/** Log of one run, or of one of its tasks if given. */
export class LogReader {
  readonly #client: Client;
  readonly #runId: string;
  readonly #task: string | undefined;
  #names = new Map<string, { readonly name: string; readonly label: string }>();

  constructor(client: Client, runId: string, task: string | undefined) {
    this.#client = client;
    this.#runId = runId;
    this.#task = task;
  }

  /** Loads the tasks of the run. @throws BatutaError USAGE if the requested task is none of them and the run has ended. */
  async nameTasks(): Promise<void> {
    const { taskRuns, run } = await this.#client.runs.inspect(this.#runId);
    this.#learn(taskRuns);
    const task = this.#task;
    if (task === undefined || !isTerminal(run.state.type) || [...this.#names].some(([id, known]) => isTask({ id, ...known }, task))) return;
    throw usage(`The run has no task '${task}'.${hintFor(task, [...new Set(taskRuns.map(({ name }) => name))], 'It has')}`);
  }

  /** Task of a line for people; null for a line of the run itself. */
  labelOf(line: StoredLogLine): string | null {
    return line.taskRunId === null ? null : (this.#names.get(line.taskRunId)?.label ?? null);
  }

  /** One page: the matching lines, the `seq` of its last line, and the number of lines read. */
  async page(
    filter: LogFilter,
  ): Promise<{ readonly lines: readonly StoredLogLine[]; readonly last: number | null; readonly read: number }> {
    const lines = await this.#client.runs.logs(this.#runId, filter);
    if (lines.some((line) => line.taskRunId !== null && !this.#names.has(line.taskRunId))) {
      this.#learn((await this.#client.runs.inspect(this.#runId)).taskRuns);
    }
    return { lines: lines.filter((line) => this.#isWanted(line)), last: lines.at(-1)?.seq ?? null, read: lines.length };
  }

  /** The last `tail` matching lines. */
  async tail(filter: LogFilter, tail: number): Promise<readonly StoredLogLine[]> {
    if (this.#task === undefined) return (await this.page({ ...filter, tail })).lines;
    const kept: StoredLogLine[] = [];
    for (let after = 0; ; ) {
      const page = await this.page({ ...filter, after, limit: pageLines });
      kept.push(...page.lines);
      if (kept.length > tail) kept.splice(0, kept.length - tail);
      if (page.read < pageLines || page.last === null) return kept;
      after = page.last;
    }
  }

  /** `seq` of the newest line; 0 if there is none. */
  async lastSeq(): Promise<number> {
    return (await this.page({ tail: 1 })).last ?? 0;
  }

  #isWanted(line: StoredLogLine): boolean {
    if (this.#task === undefined) return true;
    const known = line.taskRunId === null ? undefined : this.#names.get(line.taskRunId);
    return known !== undefined && isTask({ ...known, id: line.taskRunId ?? '' }, this.#task);
  }

  #learn(taskRuns: readonly TaskRun[]): void {
    this.#names = new Map(taskRuns.map((taskRun) => [taskRun.id, { name: taskRun.name, label: taskLabel(taskRun) }]));
  }
}

/** Matches by name, label, or the beginning or end of the id. */
function isTask({ id, name, label }: { readonly id: string; readonly name: string; readonly label: string }, wanted: string): boolean {
  return name === wanted || label === wanted || fitsId(id, wanted);
}
