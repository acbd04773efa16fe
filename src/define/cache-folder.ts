/**
 * The folders in which Batuta keeps code and notes between processes. Their content is run, so they must be trusted.
 *
 * They are `<nearest node_modules>/.cache/batuta` and a user folder in the system's temporary folder. A folder or file counts only if
 * nobody but this user or the administrator can have written it. On Windows, where Node knows no owners, all count.
 */
import { randomUUID } from 'node:crypto';
import { lstatSync, statSync, type Stats } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const writableByGroup = 0o020;
const writableByOthers = 0o002;

/** Folders to read from and write to, better ones first; they may not exist yet. */
export function cacheFolders(file: string): string[] {
  const modules = nearestFile(dirname(file), 'node_modules');
  const folder = modules === null ? null : join(modules, '.cache', 'batuta');
  return [...(folder !== null && isOwnFolder(folder) ? [folder] : []), temporaryFolder()];
}

/** Whether a file in such a folder is this user's, and nobody else can have written it; false if it does not exist. */
export function isOwnFile(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat !== undefined && stat.isFile() && isOwn(stat, writableByGroup | writableByOthers);
}

/** The nearest file of that name in the folder or above, or null. */
export function nearestFile(folder: string, name: string): string | null {
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, name);
    if (statSync(path, { throwIfNoEntry: false })) return path;
    if (dirname(at) === at) return null;
  }
}

/** A group may write to node_modules, a common default; but not to the cache itself. What does not exist yet is created by us. */
function isOwnFolder(folder: string): boolean {
  const parents = [resolve(folder, '../..'), resolve(folder, '..')];
  return parents.every((path) => isOwnOrMissing(path, writableByOthers)) && isOwnOrMissing(folder, writableByGroup | writableByOthers);
}

function isOwnOrMissing(path: string, forbidden: number): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined || (stat.isDirectory() && isOwn(stat, forbidden));
}

function isOwn({ uid, mode }: Stats, forbidden: number): boolean {
  const own = process.getuid?.();
  return own === undefined || ((uid === own || uid === 0) && (mode & forbidden) === 0);
}

function temporaryFolder(): string {
  const uid = process.getuid?.();
  const folder = join(tmpdir(), uid === undefined ? 'batuta' : `batuta-${uid}`);
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  const isSafe = stat === undefined || (stat.isDirectory() && isOwn(stat, writableByGroup | writableByOthers));
  return isSafe ? folder : `${folder}-${randomUUID()}`;
}
