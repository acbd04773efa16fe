/** Brings in one file of the user's: from the cache when nothing changed, else compiled anew. */
import { statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { BatutaError } from '../base/errors.ts';
import { type Bundle, readBundle } from './bundle-cache.ts';
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

/** The exports of a bundle. @throws BatutaError FILE_NOT_LOADED, or what a decorator in the file threw. */
export async function importBundle(file: string, bundle: Bundle, isRetry = false): Promise<Exports> {
  process.setSourceMapsEnabled(true);
  try {
    return (await import(/* @vite-ignore */ pathToFileURL(bundle.module).href)) as Exports;
  } catch (error) {
    const isGone = !statSync(bundle.module, { throwIfNoEntry: false });
    // Another process may tidy the cache between our look and the import.
    if (isGone && !isRetry) return importBundle(file, await makeBundleOf(file), true);
    throw loadError(file, bundle, error);
  }
}
