/**
 * Which files are the library itself, and what flow files import instead.
 *
 * A loaded flow file shares the running copy of the library. When that runs from source (its own tests), flow files get the built copy, as
 * Node 20 cannot import TypeScript; the two copies share what is under `Symbol.for` keys.
 */
import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { builtFile, packageFolder } from '../base/installed.ts';

const publicModules: ReadonlyMap<string, string> = new Map([
  ['batuta', 'index.js'],
  ['batuta/client', 'client/index.js'],
  ['batuta/testing', 'testing/index.js'],
  ['batuta/process', 'process/index.js'],
  ['batuta/resources', 'kit/resources/index.js'],
  ['batuta/streams', 'kit/streams/index.js'],
  ['batuta/steps', 'kit/steps/index.js'],
]);

/** Whether a file is library code, from source or built. */
export function isOfLibrary(file: string): boolean {
  return file.startsWith(join(packageFolder(), 'dist') + sep) || file.startsWith(join(packageFolder(), 'src') + sep);
}

/**
 * The file URL of `batuta` or an entry below it, such as `batuta/client`; undefined for any other specifier, and if the library runs from
 * source and was never built.
 */
export function libraryUrl(specifier: string): string | undefined {
  const path = publicModules.get(specifier);
  const file = path === undefined ? undefined : builtFile(path);
  return file !== undefined && existsSync(file) ? pathToFileURL(file).href : undefined;
}
