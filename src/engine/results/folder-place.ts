/** Large results in a folder: one file per key, written beside its place, synced and renamed before it counts. */
import { chmodSync, existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BatutaError } from '../../base/errors.ts';
import { checkKey, isRunId, missing, type ResultPlace } from './place.ts';

/**
 * Writes to the folder; what is missing there is looked up in the others, in order. The folder is created on the first write.
 *
 * @param others folders that held results before
 */
export function folderPlace(folder: string, others: readonly string[] = []): ResultPlace {
  const folders = [folder, ...others.filter((other) => other !== folder)];
  for (const each of folders) closeToOthers(each);
  const name = folders.join(' or ');
  const pathIn = (place: string, key: string): string => join(place, `${checkKey(key)}.json`);
  const find = async (key: string): Promise<{ readonly path: string; readonly bytes: number }> => {
    let first: unknown;
    for (const each of folders) {
      const path = pathIn(each, key);
      try {
        return { path, bytes: (await stat(path)).size };
      } catch (error) {
        first ??= error;
      }
    }
    throw missing(key, name, first);
  };
  return {
    prefix: '',
    name,
    async write(key, pieces) {
      const path = pathIn(folder, key);
      const temporary = `${path}.${process.pid}.part`;
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        const file = await open(temporary, 'w', 0o600);
        try {
          for await (const piece of pieces) await file.write(piece);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(temporary, path);
      } catch (cause) {
        await rm(temporary, { force: true }).catch(() => undefined);
        throw writeError(cause, folder);
      }
    },
    async read(key) {
      const { path } = await find(key);
      const file = await open(path).catch((cause: unknown) => {
        throw missing(key, name, cause);
      });
      return file.createReadStream();
    },
    size: async (key) => (await find(key)).bytes,
    async remove(key) {
      for (const each of folders) await rm(pathIn(each, key), { force: true });
    },
    async sweep(runIds, keptOf) {
      for (const each of folders) for (const runId of runIds) if (isRunId(runId)) await sweepIn(each, runId, keptOf);
    },
  };
}

async function sweepIn(folder: string, runId: string, keptOf: (keys: readonly string[]) => Promise<readonly string[]>): Promise<void> {
  const place = join(folder, runId);
  const names = await readdir(place).catch(() => []);
  if (names.length === 0) return;
  const keys = names.filter((name) => name.endsWith('.json')).map((name) => `${runId}/${name.slice(0, -'.json'.length)}`);
  const kept = new Set((await keptOf(keys)).map((key) => join(folder, `${key}.json`)));
  for (const path of names.map((name) => join(place, name))) if (!kept.has(path)) await rm(path, { force: true });
  // Another may have put something there meanwhile.
  if (kept.size === 0) await rmdir(place).catch(() => undefined);
}

/** Restricts a folder of Batuta's own that was made before such folders were private; that closes all its contents. */
function closeToOthers(folder: string): void {
  const own = dirname(folder);
  if (basename(own) !== '.batuta' || process.platform === 'win32') return;
  try {
    for (const place of [own, folder]) if (existsSync(place)) chmodSync(place, 0o700);
  } catch {
    // Another user's: used as it is; the doctor reports it.
  }
}

function writeError(cause: unknown, folder: string): BatutaError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : null;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new BatutaError(
      'STORE_FULL',
      `The disk is full: a result could not be written to ${folder}. Free some space and retry the run.`,
      { cause },
    );
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new BatutaError(
      'STORE_READ_ONLY',
      `A result could not be written: ${folder} is read-only. Make it writable and retry the run.`,
      { cause },
    );
  return new BatutaError(
    'STORE_UNAVAILABLE',
    `A result could not be written to ${folder}: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause },
  );
}
