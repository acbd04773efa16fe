/** Whether there is free space where this machine writes: the SQLite database, and results in a folder. */
import { statfs } from 'node:fs/promises';
import { programName } from '../../base/program-name.ts';
import { dirname, resolve } from 'node:path';
import { parsePlace } from '../../base/result-places.ts';
import { degraded, type HealthCheck, healthy, unhealthy } from './health.ts';

const mib = 1024 * 1024;
/** Less than both, bytes and share of the disk, is little. */
const little = { bytes: 2 * 1024 * mib, share: 0.1 };
/** Less counts as none. */
const noneBytes = 100 * mib;

/** Free space of a file system, bytes. */
export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Free space where this machine writes, and in which folder; null if it stores nothing. */
export async function freeSpace(config: {
  readonly databaseUrl: string;
  readonly results: string;
}): Promise<(DiskSpace & { readonly folder: string }) | null> {
  const folder = folderOf(config);
  return folder === null ? null : { folder, ...(await readSpace(folder)) };
}

/** Null if this machine stores nothing. @param spaceOf returns the free space of a folder's file system */
export function diskCheck(
  config: { readonly databaseUrl: string; readonly results: string },
  spaceOf: (folder: string) => Promise<DiskSpace> = readSpace,
): HealthCheck | null {
  const folder = folderOf(config);
  if (folder === null) return null;
  return {
    name: 'disk',
    async check() {
      const { freeBytes, totalBytes } = await spaceOf(folder);
      const found = `${sizeOf(freeBytes)} of ${sizeOf(totalBytes)} free at ${folder}`;
      const mend = `Make room; ${programName()} db prune deletes old runs.`;
      if (freeBytes < noneBytes) return unhealthy(found, mend);
      return freeBytes < little.bytes && freeBytes < little.share * totalBytes ? degraded(found, mend) : healthy(found);
    },
  };
}

/** Of the folder, or of its nearest existing parent: it may not exist yet. */
async function readSpace(folder: string): Promise<DiskSpace> {
  for (let at = folder; ; at = dirname(at)) {
    try {
      const { bavail, blocks, bsize } = await statfs(at);
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(at) === at) throw error;
    }
  }
}

function folderOf({ databaseUrl, results }: { readonly databaseUrl: string; readonly results: string }): string | null {
  const place = parsePlace(results);
  return sqliteFolder(databaseUrl) ?? (place.kind === 'folder' ? resolve(place.path) : null);
}

function sqliteFolder(databaseUrl: string): string | null {
  if (!databaseUrl.startsWith('sqlite:')) return null;
  const path = databaseUrl.slice('sqlite:'.length).replace(/\?.*$/, '');
  return path === '' || path.startsWith(':') ? null : dirname(resolve(path.replace(/^\/\/(?=\/)/, '')));
}

function sizeOf(bytes: number): string {
  return bytes >= 1024 * mib ? `${(bytes / 1024 / mib).toFixed(1)} GiB` : `${Math.round(bytes / mib)} MiB`;
}
