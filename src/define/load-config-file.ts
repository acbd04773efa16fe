/** Loads a project's `batuta.config.ts`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BatutaConfig } from '../base/config-file.ts';
import type { LoadedConfigFile } from '../base/config.ts';

/** Names to look for, in this order. */
const names = ['batuta.config.ts', 'batuta.config.mts', 'batuta.config.js', 'batuta.config.mjs'] as const;

/**
 * The configuration file of a folder, read; null if it has none. Its content is not checked here.
 *
 * @throws BatutaError FILE_NOT_COMPILED, FILE_NOT_LOADED
 */
export async function loadConfigFile(folder: string): Promise<LoadedConfigFile | null> {
  const name = nameIn(folder);
  if (name === undefined) return null;
  // Separate: most projects have no such file.
  const { importUserFile } = await import('./user-file.ts');
  const exported = await importUserFile(join(folder, name));
  return { name, config: exported['default'] as BatutaConfig };
}

/** Whether a folder has a configuration file. */
export function hasConfigFile(folder: string): boolean {
  return nameIn(folder) !== undefined;
}

function nameIn(folder: string): (typeof names)[number] | undefined {
  return names.find((candidate) => existsSync(join(folder, candidate)));
}
