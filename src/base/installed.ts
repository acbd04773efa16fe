/** Where this package is on disk. Bundling moves code into chunks, so no file may look for another next to itself. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Installed {
  readonly folder: string;
  readonly version: string;
}

let installed: Installed | undefined;

/** Folder of Batuta's package.json, the same from source, from `dist` and from any chunk. */
export function packageFolder(): string {
  return findPackage().folder;
}

/** Version of Batuta, e.g. `0.1.0`. */
export function packageVersion(): string {
  return findPackage().version;
}

/**
 * Path of a built file, e.g. `builtFile('define/isolate-entry.js')`. Even when running from source: code for a worker thread or a new
 * process must be plain JavaScript on Node 20.
 */
export function builtFile(path: string): string {
  return join(packageFolder(), 'dist', path);
}

function findPackage(): Installed {
  if (installed !== undefined) return installed;
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const found = readPackage(join(folder, 'package.json'));
    if (found?.name === 'batuta') return (installed = { folder, version: found.version });
    if (dirname(folder) === folder)
      throw new Error(
        `Batuta cannot find its files from ${import.meta.url}. If a bundler made that file, keep the package "batuta" external, for example with --external:batuta.`,
      );
  }
}

function readPackage(path: string): { readonly name: string; readonly version: string } | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as { name: string; version: string };
  } catch {
    return null;
  }
}
