/** Where the running library lies, and whether it is the built one. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Absolute path of `dist` when running built, of `src` when running from source. The build moves modules about inside it. */
const root = findRoot(fileURLToPath(import.meta.url));

/** What a user's file may import of the library, and the module behind it. */
const publicModules: ReadonlyMap<string, string> = new Map([
  ['batuta', 'index.js'],
  ['batuta/client', 'client/index.js'],
  ['batuta/testing', 'testing/index.js'],
]);

/** Whether a file is part of the library itself. */
export function isOfLibrary(file: string): boolean {
  return file.startsWith(root + sep);
}

/**
 * The file URL that stands for `batuta`, `batuta/client` or `batuta/testing` in a loaded flow file; undefined for any other
 * specifier, and when the library runs from source and was never built.
 */
export function libraryUrl(specifier: string): string | undefined {
  const path = publicModules.get(specifier);
  if (path === undefined) return undefined;
  const file = join(basename(root) === 'dist' ? root : join(dirname(root), 'dist'), path);
  return existsSync(file) ? pathToFileURL(file).href : undefined;
}

function findRoot(file: string): string {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    if (basename(folder) === 'dist' || basename(folder) === 'src') return folder;
  }
  return dirname(file);
}
