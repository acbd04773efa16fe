/** Brings in one file of the user's: from the cache when nothing changed, else compiled anew. */
import { readFileSync, statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { systemClock, type Timer } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import type { FlowClass } from '../model/flow-types.ts';
import { runLoading } from '../model/loading.ts';
import { type Bundle, hashOf, readBundle } from './bundle-cache.ts';
import { writeLoadedVersion } from './metadata.ts';
import { fileNotFound, loadError, shownPath } from './load-errors.ts';

/** What a module exports, by name. */
export type Exports = Readonly<Record<string, unknown>>;

/** Names of files that hold code. */
export const codeFile = /\.(ts|mts|cts|tsx|js|mjs|cjs)$/;

/**
 * Imports a file with all it imports of the user's own and gives its exports.
 *
 * @param file absolute path.
 * @throws BatutaError FILE_NOT_FOUND, FILE_NOT_COMPILED, FILE_NOT_LOADED
 */
export async function importUserFile(file: string): Promise<Exports> {
  return importBundle(file, await bundleOf(file));
}

/** The bundle of a file. @throws BatutaError FILE_NOT_FOUND, FILE_NOT_COMPILED */
export async function bundleOf(file: string): Promise<Bundle> {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) throw fileNotFound(file);
  if (!stat.isFile() || !codeFile.test(file)) {
    throw new BatutaError('FILE_NOT_COMPILED', `${shownPath(file)} is no TypeScript or JavaScript file.`, {
      details: { file, errors: [] },
    });
  }
  return readBundle(file) ?? (await makeBundleOf(file));
}

/** Apart, so that a file found in the cache never brings in the bundler. */
async function makeBundleOf(file: string): Promise<Bundle> {
  const { makeBundle } = await import('./bundle.ts');
  return makeBundle(file);
}

/** Modules that are being evaluated, and those that wait for a run that is not started here. */
const evaluating = new Map<string, Promise<Exports>>();
/** How long a file that went on to run a flow may take to end all the same, ms. Most do not wait for the run, and end at once. */
const restMs = 200;

/**
 * The exports of a bundle. One that goes on to run a flow is left where it waits for the run; then they are the flow classes that it has
 * defined until then.
 *
 * @throws BatutaError FILE_NOT_LOADED, or what a decorator in the file threw.
 */
export async function importBundle(file: string, bundle: Bundle, isRetry = false): Promise<Exports> {
  process.setSourceMapsEnabled(true);
  try {
    const known = evaluating.get(bundle.module);
    if (known !== undefined) return await known;
    const exported = evaluate(bundle, addressOf(bundle.module));
    evaluating.set(bundle.module, exported);
    return await exported;
  } catch (error) {
    const isGone = !statSync(bundle.module, { throwIfNoEntry: false });
    // Another process may tidy the cache between our look and the import.
    if (isGone && !isRetry) return importBundle(file, await makeBundleOf(file), true);
    throw loadError(file, bundle, error);
  }
}

/** Files beside code that flows are made of, by the module that read them as it was evaluated: their paths and hashes. */
const reads = new Map<string, Map<string, string>>();

/** The files, beside its code, that a module has read for its flows; absolute paths. */
export function filesReadBy(module: string): readonly string[] {
  return [...(reads.get(module)?.keys() ?? [])];
}

/** The address by which a module is imported: another one when a file that it has read is no longer what it was, so that it is evaluated again. */
function addressOf(module: string): string {
  const { href } = pathToFileURL(module);
  const known = [...(reads.get(module) ?? [])];
  const now = known.map(([path]) => [path, hashOfFile(path)] as const);
  if (now.every(([, hash], at) => hash === known[at]?.[1])) return addresses.get(module) ?? href;
  const address = `${href}?files=${hashOf(now.map(([, hash]) => hash).join()).slice(0, 12)}`;
  addresses.set(module, address);
  return address;
}

/** Addresses of modules that were evaluated again. */
const addresses = new Map<string, string>();

function hashOfFile(path: string): string {
  try {
    return hashOf(readFileSync(path));
  } catch {
    return 'gone';
  }
}

async function evaluate({ module, version }: Bundle, address: string): Promise<Exports> {
  const classes = new Set<FlowClass>();
  const onRead = (path: string, content: string): void => {
    const files = reads.get(module) ?? new Map<string, string>();
    reads.set(module, files.set(path, hashOf(content)));
  };
  let timer: Timer | undefined;
  return await new Promise<Exports>((resolve, reject) => {
    const noteVersion = (): void => classes.forEach((cls) => writeLoadedVersion(cls, version));
    const give = (): void => {
      noteVersion();
      resolve(Object.fromEntries([...classes].map((cls) => [cls.name, cls])));
    };
    const onStop = (): void => {
      timer ??= systemClock.setTimer(restMs, give);
    };
    runLoading({ classes, onStop, onRead }, () => {
      const imported = import(/* @vite-ignore */ address) as Promise<Exports>;
      const settle = (): void => {
        timer?.cancel();
        evaluating.delete(module);
      };
      imported.finally(settle).then((exported) => {
        noteVersion();
        resolve(withDefaults(exported));
      }, reject);
    });
  });
}

/** What a CommonJS file exports is the default of its bundle. */
function withDefaults(exported: Exports): Exports {
  const { default: whole, ...named } = exported;
  const isWhole = Object.keys(named).length === 0 && typeof whole === 'object' && whole !== null;
  return isWhole ? { default: whole, ...whole } : exported;
}
