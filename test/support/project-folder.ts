/** A project of a user's in a temporary folder: write files, add packages, remove it at the end. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface ProjectFolder {
  readonly path: string;
  /** Writes a file and gives its absolute path. */
  write(name: string, text: string): string;
  remove(): void;
}

/** `node_modules` is made unless told otherwise: bundles are kept there. */
export function makeProject(files: Readonly<Record<string, string>> = {}, options: { readonly modules?: boolean } = {}): ProjectFolder {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'batuta-project-')));
  if (options.modules !== false) mkdirSync(join(path, 'node_modules'));
  const write = (name: string, text: string): string => {
    const file = join(path, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  return { path, write, remove: () => rmSync(path, { recursive: true, force: true }) };
}
