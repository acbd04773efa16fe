/**
 * Which files a database row may cause to be loaded: loading a file runs it, and anyone who can write to the database could name any.
 *
 * A file is loaded if it is in `BATUTA_FLOWS`, or if this user has run a flow of it on this machine before, by its path or from a script. A
 * note of that is kept with the bundles, where only this user can have put it.
 */
import { mkdirSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { hashOf } from './bundle-cache.ts';
import { cacheFolders, isOwnFile } from './cache-folder.ts';
import { codeFile } from './user-file.ts';

/** Whether a recorded file may be loaded. @param flows folders and files of flows, absolute or from `cwd` */
export function mayLoadRecorded(file: string, flows: readonly string[], cwd: string): boolean {
  const real = realPathOf(file);
  if (real === null) return false;
  // By its own name, too: a link in the folder to a file elsewhere was put there by the folder's owner.
  const isFlow = (place: string): boolean => isAmong(resolve(file), place) || isAmong(real, realPathOf(place));
  return flows.some((place) => isFlow(resolve(cwd, place))) || isRemembered(real);
}

/** Notes that this user has run a flow of the file, so that `runs retry` finds it again. Best effort. */
export function rememberSource(file: string): void {
  const real = realPathOf(file);
  if (real === null || isRemembered(real)) return;
  for (const folder of cacheFolders(real)) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileSync(join(folder, noteName(real)), `${real}\n`, { mode: 0o600 });
      return;
    } catch {
      // A read-only project: try the next folder.
    }
  }
}

function isRemembered(real: string): boolean {
  return cacheFolders(real).some((folder) => isOwnFile(join(folder, noteName(real))));
}

function noteName(real: string): string {
  return `${hashOf(real).slice(0, 32)}.source`;
}

/** As `loadFlows` finds them: code in the folder or below, not in a package or hidden folder. */
function isAmong(file: string, place: string | null): boolean {
  if (place === null) return false;
  if (file === place) return true;
  const below = relative(place, file);
  if (!statSync(place, { throwIfNoEntry: false })?.isDirectory() || below.startsWith('..') || resolve(place, below) !== file) return false;
  return codeFile.test(file) && below.split(sep).every((part) => !part.startsWith('.') && part !== 'node_modules');
}

function realPathOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}
