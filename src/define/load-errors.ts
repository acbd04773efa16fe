/** One sentence, with file and line, on why a flow file fails to compile or load. */
import { readdirSync } from 'node:fs';
import { findSourceMap } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Message } from 'esbuild';
import { packageMissing } from '../base/packages.ts';
import { BatutaError, isBatutaError } from '../base/errors.ts';
import { nearestNames } from '../base/nearest.ts';
import type { Bundle } from './bundle-cache.ts';

/** One compiler message; line and column from 1, null if it has no place. */
export interface CompileFault {
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
  /** The line, with a marker below; or null. */
  readonly frame: string | null;
}

interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A path for people: relative to the working directory if inside it. */
export function shownPath(file: string): string {
  const path = relative(process.cwd(), file);
  return path === '' || path.startsWith('..') ? file : path;
}

/** FILE_NOT_FOUND, with similar names in the folder. */
export function fileNotFound(file: string): BatutaError {
  let nearest: string[] = [];
  try {
    nearest = nearestNames(basename(file), readdirSync(dirname(file))).map((name) => shownPath(join(dirname(file), name)));
  } catch {
    // The folder itself is missing too.
  }
  const hint = nearest.length === 0 ? '' : ` Did you mean ${nearest.join(' or ')}?`;
  return new BatutaError('FILE_NOT_FOUND', `There is no file ${shownPath(file)}.${hint}`, { details: { file, nearest } });
}

/**
 * FILE_NOT_COMPILED from esbuild's error. `details.errors` holds every `CompileFault`.
 *
 * @param prefixOf number of characters added before a file's first line
 */
export function compileError(file: string, error: unknown, prefixOf: (file: string) => number): BatutaError {
  if (error instanceof Error && /is needed by esbuild|installed esbuild for another platform/.test(error.message))
    return packageMissing('esbuild', error);
  const messages = (error as { errors?: readonly Message[] }).errors ?? [];
  const [first, ...more] = messages.map((message) => faultOf(file, message, prefixOf));
  if (!first) {
    const text = error instanceof Error ? error.message : String(error);
    return new BatutaError('FILE_NOT_COMPILED', `${shownPath(file)} could not be compiled: ${text}`, {
      cause: error,
      details: { file, errors: [] },
    });
  }
  const place = first.line === null ? shownPath(first.file) : `${shownPath(first.file)}:${first.line}:${first.column}`;
  const rest = more.length === 0 ? '' : ` (and ${more.length} more)`;
  return new BatutaError('FILE_NOT_COMPILED', `${place} does not compile: ${first.message}${rest}`, {
    cause: error,
    details: { file, errors: [first, ...more] },
  });
}

/** FILE_NOT_LOADED from an error while importing a bundle; a Batuta error keeps its code. */
export function loadError(file: string, bundle: Bundle, thrown: unknown): BatutaError {
  const missing = missingPackage(thrown);
  if (missing !== undefined) {
    const importer = Object.entries(bundle.packages).find(([name]) => packageOf(name) === missing)?.[1] ?? file;
    return new BatutaError(
      'FILE_NOT_LOADED',
      `${shownPath(importer)} imports '${missing}', which is not installed. Install it: npm i ${missing}`,
      {
        cause: thrown,
        details: { file: importer, package: missing },
      },
    );
  }
  const place = placeOf(thrown, bundle);
  const shown = place ? `${shownPath(place.file)}:${place.line}:${place.column}` : shownPath(file);
  const details = place ? { ...place } : { file };
  if (isBatutaError(thrown))
    return new BatutaError(thrown.code, `${shown}: ${thrown.message}`, { cause: thrown, details: { ...thrown.details, ...details } });
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message.split('\n', 1)[0]}` : String(thrown);
  return new BatutaError('FILE_NOT_LOADED', `${shown} threw while it was loaded: ${text}`, { cause: thrown, details });
}

function faultOf(entry: string, { text, location }: Message, prefixOf: (file: string) => number): CompileFault {
  if (!location) return { file: entry, line: null, column: null, message: text, frame: null };
  const file = resolve(dirname(entry), location.file);
  const shift = location.line === 1 ? prefixOf(file) : 0;
  const lineText = location.lineText.slice(shift);
  // esbuild counts bytes.
  const column = Buffer.from(location.lineText).subarray(0, location.column).toString('utf8').length - shift;
  const head = `${location.line} | `;
  return {
    file,
    line: location.line,
    column: column + 1,
    message: text,
    frame: `${head}${lineText}\n${' '.repeat(head.length + Math.max(0, column))}^`,
  };
}

function missingPackage(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  const found =
    thrown.code === 'ERR_MODULE_NOT_FOUND'
      ? /^Cannot find package '([^']+)'/.exec(thrown.message)?.[1]
      : thrown.code === 'MODULE_NOT_FOUND'
        ? /^Cannot find module '([^'./][^']*)'/.exec(thrown.message)?.[1]
        : undefined;
  return found === undefined ? undefined : packageOf(found);
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** The first place on the stack in the user's own files. */
function placeOf(thrown: unknown, bundle: Bundle): Place | undefined {
  if (!(thrown instanceof Error) || typeof thrown.stack !== 'string') return undefined;
  const inputs = new Set(bundle.inputs.map((input) => input.path));
  for (const [, where = '', line = '1', column = '1'] of thrown.stack.matchAll(
    /((?:file:\/\/|\/|[A-Za-z]:[\\/])[^\s()]*?):(\d+)(?::(\d+))?(?=[\s)]|$)/g,
  )) {
    const file = where.startsWith('file:') ? fileURLToPath(where) : where;
    if (inputs.has(file)) return { file, line: Number(line), column: Number(column) };
    if (file === bundle.module) {
      const entry = findSourceMap(bundle.module)?.findEntry(Number(line) - 1, Number(column) - 1);
      if (entry && 'originalSource' in entry) {
        return { file: fileURLToPath(entry.originalSource), line: entry.originalLine + 1, column: entry.originalColumn + 1 };
      }
    }
  }
  return undefined;
}
