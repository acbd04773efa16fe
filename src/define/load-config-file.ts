/** Loads a project's `batuta.config.ts`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BatutaConfig } from '../base/config-file.ts';
import { readBundle } from './bundle-cache.ts';
import { loadError } from './load-errors.ts';

/** Names under which the file is looked for, in this order. */
const names = ['batuta.config.ts', 'batuta.config.mts', 'batuta.config.js', 'batuta.config.mjs'] as const;

/**
 * The configuration file of a folder, read; null when it has none. What the file says is not checked here.
 *
 * @throws BatutaError FILE_NOT_COMPILED, FILE_NOT_LOADED
 */
export async function loadConfigFile(folder: string): Promise<{ readonly name: string; readonly config: BatutaConfig } | null> {
  const name = names.find((candidate) => existsSync(join(folder, candidate)));
  if (name === undefined) return null;
  const file = join(folder, name);
  const bundle = readBundle(file) ?? (await (await import('./bundle.ts')).makeBundle(file));
  try {
    const exported = (await import(/* @vite-ignore */ pathToFileURL(bundle.module).href)) as { readonly default?: BatutaConfig };
    // Without a default export there is nothing that could be one; the settings say what is wanted.
    return { name, config: exported.default as BatutaConfig };
  } catch (error) {
    throw loadError(file, bundle, error);
  }
}
