/** Loads one user file: from the cache if unchanged, else compiled again. */
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

/** File names of code. */
export const codeFile = /\.(ts|mts|cts|tsx|js|mjs|cjs)$/;

/**
 * Imports a file and the user files it imports; returns its exports.
 *
 * @param file absolute path
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

/** Separate, so that a file found in the cache never loads the bundler. */
async function makeBundleOf(file: string): Promise<Bundle> {
  const { makeBundle } = await import('./bundle.ts');
  return makeBundle(file);
}

/** Modules being evaluated, and those that wait for a run not started here. */
const evaluating = new Map<string, Promise<Exports>>();
/** How long a file that tries to run a flow may take to end anyway, ms. Most do not wait for the run, and end at once. */
const restMs = 200;

/**
 * The exports of a bundle. One that tries to run a flow is left waiting for the run; its exports are then the flow classes defined so far.
 *
 * @throws BatutaError FILE_NOT_LOADED, or what a decorator in the file threw
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
    // Another process may clean the cache between check and import.
    if (isGone && !isRetry) return importBundle(file, await makeBundleOf(file), true);
    throw loadError(file, bundle, error);
  }
}

/** Non-code files that flows depend on, by the module that read them during evaluation: their paths and hashes. */
const reads = new Map<string, Map<string, string>>();

/** Non-code files that a module has read for its flows; absolute paths. */
export function filesReadBy(module: string): readonly string[] {
  return [...(reads.get(module)?.keys() ?? [])];
}

/** The address to import a module by: a new one if a file it read has changed, so that it is evaluated again. */
function addressOf(module: string): string {
  const { href } = pathToFileURL(module);
  const known = [...(reads.get(module) ?? [])];
  const now = known.map(([path]) => [path, hashOfFile(path)] as const);
  if (now.every(([, hash], at) => hash === known[at]?.[1])) return addresses.get(module) ?? href;
  const address = `${href}?files=${hashOf(now.map(([, hash]) => hash).join()).slice(0, 12)}`;
  addresses.set(module, address);
  return address;
}

/** Addresses of re-evaluated modules. */
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

/** Exports of a CommonJS file are the default of its bundle. */
function withDefaults(exported: Exports): Exports {
  const { default: whole, ...named } = exported;
  const isWhole = Object.keys(named).length === 0 && typeof whole === 'object' && whole !== null;
  return isWhole ? { default: whole, ...whole } : exported;
}
