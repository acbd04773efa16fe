/** `batuta export`: writes rows of many runs to a file or standard output. */
import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { byteSize } from '../../base/byte-size.ts';
import { type ExportFilter, type ExportFormat, exportFormats, exportKinds, type ExportKind } from '../../client/export/export-client.ts';
import type { CommandContext, ExitStatus } from '../context.ts';
import { Interrupt } from '../interrupt.ts';
import { withClient } from '../open.ts';
import { given, readLevel, readWord, usage } from '../read-options.ts';
import { type FilterOptions, readRunFilter } from '../read-run-filter.ts';

interface Options extends FilterOptions {
  readonly format?: string;
  readonly output?: string;
  readonly force?: boolean;
  readonly level?: string;
  readonly by?: string;
}

/** Interval between progress lines, ms. */
const progressMs = 500;

/**
 * Writes a temporary file and renames it, so that its name never shows half a file. A reader that closes standard output is not an error.
 *
 * @throws BatutaError USAGE (the file is there already), FILTER_INVALID
 */
export async function exportRows(context: CommandContext, what: string, options: Options): Promise<ExitStatus> {
  const kind = readWord('what to export', what, exportKinds);
  const path = options.output === undefined || options.output === '-' ? null : resolve(context.terminal.cwd, options.output);
  const format = formatOf(options.format, path);
  const filter = filterOf(context, options);
  if (path === null && context.terminal.out.isTty && format === 'parquet')
    throw usage('Parquet is not for a terminal: give it a file with -o.');
  if (path !== null && existsSync(path) && !options.force) throw usage(`${path} is there already; --force replaces it.`);
  const half = `${path}.${process.pid}.part`;
  const interrupt = new Interrupt({
    clock: context.clock,
    onFirst: () => undefined,
    onSecond: async () => (path === null ? undefined : await rm(half, { force: true })),
  });
  try {
    return await withClient(context, async ({ exports }) => {
      const progress = new Progress(context, kind);
      const stopped = path === null ? AbortSignal.any([interrupt.signal, context.terminal.gone]) : interrupt.signal;
      const onRows = (rows: number): void => progress.setRows(rows);
      const pieces = progress.counted(exports.bytes(kind, { format, filter, onRows, signal: stopped }));
      try {
        if (path === null) await copy(pieces, process.stdout, stopped);
        else await writeFile(pieces, path, half);
      } catch (error) {
        if (!stopped.aborted) throw error;
      }
      if (interrupt.status !== null) return interrupt.status;
      // The reader of standard output has left.
      if (stopped.aborted) return 0;
      progress.end(path);
      return 0;
    });
  } finally {
    interrupt.stop();
  }
}

function formatOf(format: string | undefined, path: string | null): ExportFormat {
  if (format !== undefined) return readWord('--format', format, exportFormats);
  const ending = exportFormats.find((one) => path?.toLowerCase().endsWith(`.${one}`));
  if (ending === undefined) throw usage(`Say in which format: --format ${exportFormats.join('|')}, or a file that ends so.`);
  return ending;
}

function filterOf(context: CommandContext, { level, by, ...options }: Options): ExportFilter {
  return {
    ...readRunFilter(options, context.clock.now()),
    ...given({
      minLevel: level === undefined ? undefined : readLevel(level),
      by: by === undefined ? undefined : readWord('--by', by, ['hour', 'day'] as const),
    }),
  };
}

/** @param half path of the file until it is complete */
async function writeFile(pieces: AsyncIterable<Uint8Array>, path: string, half: string): Promise<void> {
  try {
    // Flushed to disk before it gets its name.
    await pipeline(pieces, createWriteStream(half, { flags: 'wx', flush: true }));
    await rename(half, path);
  } catch (error) {
    await rm(half, { force: true }).catch(() => undefined);
    throw isSystemError(error) ? usage(`${path} cannot be written: ${error.message}`) : error;
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

/** Waits for the reader (backpressure). */
async function copy(pieces: AsyncIterable<Uint8Array>, target: Writable, stopped: AbortSignal): Promise<void> {
  for await (const piece of pieces) {
    if (stopped.aborted) return;
    if (target.write(piece)) continue;
    await once(target, 'drain', { signal: stopped }).catch((error: unknown) => {
      if (!stopped.aborted) throw error;
    });
  }
}

/** Reports progress on standard error. */
class Progress {
  readonly #context: CommandContext;
  readonly #kind: ExportKind;
  #bytes = 0;
  #rows: number | null = null;
  #shownAt = 0;

  constructor(context: CommandContext, kind: ExportKind) {
    this.#context = context;
    this.#kind = kind;
    this.#shownAt = context.clock.monotonic();
  }

  setRows(rows: number): void {
    this.#rows = rows;
  }

  async *counted(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      yield piece;
      this.#bytes += piece.byteLength;
      this.#show();
    }
  }

  end(path: string | null): void {
    const { err } = this.#context.terminal;
    err.line(`${err.isTty ? '\r\u001b[2K' : ''}Exported ${this.#text}${path === null ? '' : ` to ${path}`}.`);
  }

  #show(): void {
    const { terminal, clock } = this.#context;
    const now = clock.monotonic();
    if (!terminal.err.isTty || now - this.#shownAt < progressMs) return;
    this.#shownAt = now;
    terminal.err.write(`\r\u001b[2K${terminal.err.paint.dim(this.#text)}`);
  }

  get #text(): string {
    const rows = this.#rows === null ? '' : `${this.#rows.toLocaleString('en-US')} ${this.#rows === 1 ? 'row' : 'rows'}, `;
    return `${rows}${byteSize(this.#bytes)} of ${this.#kind}`;
  }
}
