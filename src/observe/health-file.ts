/**
 * The sign of life of one process, for a container's health check or a supervisor.
 *
 * Owned by the process that beats: it renews the file as long as its loops run and the database accepts their writes, and
 * removes it on a clean end. After a crash the file stays, but its process is gone or it grows stale.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { identifyProcess, isProcessElsewhere, isProcessGone, type ProcessIdentity } from '../base/process-identity.ts';

/** Content of the file, as JSON. */
interface Beat extends ProcessIdentity {
  /** UTC epoch ms. */
  readonly beatAt: number;
  /** How long the beat is valid, ms. */
  readonly goodForMs: number;
}

/** Health of a process. */
export interface Health {
  readonly ok: boolean;
  /** One sentence. */
  readonly found: string;
}

/** Renews and removes the file. */
export interface HealthFile {
  /** Reports that the process works. @throws Error of the file system */
  beat(): Promise<void>;
  /** Does nothing if there is none. */
  remove(): Promise<void>;
}

/** A file at `path` (null: none, nothing is written) whose beats are valid for `goodForMs`. */
export function openHealthFile(
  path: string | null,
  { clock, goodForMs }: { readonly clock: Clock; readonly goodForMs: number },
): HealthFile {
  if (path === null) return { beat: async () => undefined, remove: async () => undefined };
  return {
    async beat() {
      const beat: Beat = { ...identifyProcess(), beatAt: clock.now(), goodForMs };
      await mkdir(dirname(path), { recursive: true });
      // Renamed into place, so that readers see a whole beat.
      const half = `${path}.${randomUUID()}.half`;
      try {
        await writeFile(half, JSON.stringify(beat));
        await rename(half, path);
      } catch (error) {
        await rm(half, { force: true }).catch(() => undefined);
        throw error;
      }
    },
    remove: () => rm(path, { force: true }).catch(() => undefined),
  };
}

/** Reads the file: healthy if the process lives on this host and has beaten recently. Never throws. */
export async function readHealth(path: string, clock: Clock): Promise<Health> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => error);
  if (typeof text !== 'string')
    return sick(
      text.code === 'ENOENT'
        ? `There is no ${path}: nothing beats here yet, or it has ended.`
        : `${path} cannot be read (${text.message}).`,
    );
  const beat = parseBeat(text);
  if (beat === null) return sick(`${path} is no sign of life of a process of the fleet.`);
  const { host, pid, beatAt, goodForMs } = beat;
  if (isProcessElsewhere(beat)) return sick(`${path} was written on another host, ${host}.`);
  if (isProcessGone(beat)) return sick(`Process ${pid} is gone.`);
  const silentMs = Math.max(0, clock.now() - beatAt);
  const silent = `Process ${pid} beat ${formatDuration(silentMs)} ago`;
  return silentMs <= goodForMs ? { ok: true, found: `${silent}.` } : sick(`${silent}; it should within ${formatDuration(goodForMs)}.`);
}

function parseBeat(text: string): Beat | null {
  try {
    const beat = JSON.parse(text) as Partial<Beat> | null;
    const numbers = [beat?.pid, beat?.processStartedAt, beat?.beatAt, beat?.goodForMs];
    return typeof beat?.host === 'string' && typeof beat.id === 'string' && numbers.every(Number.isFinite) ? (beat as Beat) : null;
  } catch {
    return null;
  }
}

function sick(found: string): Health {
  return { ok: false, found };
}
