/**
 * Keeps bundles of flow files between processes, in the folders of `cache-folder.ts`.
 *
 * A bundle is `<hash of its content>.mjs`; a manifest per flow file next to it lists its inputs, so that a second process need not start
 * the bundler. Files appear by rename, so a reader sees a whole file or none. Bundles unused for a week are removed with the next write.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { packageVersion } from '../base/installed.ts';
import { cacheFolders, isOwnFile, nearestFile } from './cache-folder.ts';
import { libraryUrl } from './library.ts';

/** One input file of a bundle. */
export interface BundleInput {
  readonly path: string;
  readonly mtimeMs: number;
  readonly size: number;
  /** SHA-256 of the content, hex. */
  readonly hash: string;
}

/** Facts about a bundle. */
export interface Bundle {
  /** Absolute path of the module to import. */
  readonly module: string;
  /** Hash of the code without its paths, 12 hex digits: the version of its flows. */
  readonly version: string;
  /** Every bundled file, and the tsconfig files that applied. */
  readonly inputs: readonly BundleInput[];
  /** The flow file's nearest tsconfig.json, or null. */
  readonly tsconfig: string | null;
  /** Which file imports a package, by specifier. */
  readonly packages: Readonly<Record<string, string>>;
  /**
   * Set if the project wants decorator metadata that nothing in it can make: bundled again each time, to warn, and to make it once
   * possible.
   */
  readonly lacksMetadata?: boolean;
}

/** Raised when bundling changes; older manifests are then ignored. */
const format = 3;
const dayMs = 86_400_000;
const keepMs = 7 * dayMs;
/** Most files checked when old ones are removed; the rest waits for the next time. */
const maxPruned = 2_000;

/** The bundle of an earlier process if none of its inputs has changed since, else undefined. */
export function readBundle(file: string): Bundle | undefined {
  for (const folder of cacheFolders(file)) {
    const manifest = join(folder, manifestName(file));
    try {
      if (!isOwnFile(manifest)) continue;
      const bundle = JSON.parse(readFileSync(manifest, 'utf8')) as Bundle;
      if (dirname(bundle.module) !== folder || !isOwnFile(bundle.module)) continue;
      if (bundle.tsconfig !== nearestFile(dirname(file), 'tsconfig.json') || !bundle.inputs.every(isUnchanged)) continue;
      if (bundle.lacksMetadata) continue;
      keepFresh(bundle.module, manifest);
      return bundle;
    } catch {
      // No manifest, half of one, or an input or the module is gone: bundled again.
    }
  }
  return undefined;
}

/**
 * Writes a bundle and its manifest to the first writable folder.
 *
 * @param code the module for its folder; called once per folder
 * @throws Error of the file system if not even the temporary folder is writable
 */
export function writeBundle(file: string, facts: Omit<Bundle, 'module'>, code: (folder: string) => string): Bundle {
  const folders = cacheFolders(file);
  for (const [at, folder] of folders.entries()) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const text = code(folder);
      const bundle: Bundle = { ...facts, module: join(folder, `${hashOf(text).slice(0, 20)}.mjs`) };
      writeWhole(bundle.module, text);
      writeWhole(join(folder, manifestName(file)), JSON.stringify(bundle));
      removeOld(folder);
      return bundle;
    } catch (error) {
      if (at === folders.length - 1) throw error;
    }
  }
  throw new Error('There is no folder for bundles.');
}

/** Facts about an input, taken before use, so that a change meanwhile is seen next time. */
export function inputOf(path: string, content: Buffer, stat: { readonly mtimeMs: number; readonly size: number }): BundleInput {
  return { path, mtimeMs: stat.mtimeMs, size: stat.size, hash: hashOf(content) };
}

/** SHA-256, hex. */
export function hashOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The node_modules folder that a bundle in `folder` finds packages in by name; null for the temporary one. */
export function modulesOf(folder: string): string | null {
  const end = `${sep}node_modules${sep}.cache${sep}batuta`;
  return folder.endsWith(end) ? folder.slice(0, -`${sep}.cache${sep}batuta`.length) : null;
}

/** From the file, the copy of the library it shares, and the way of bundling. */
function manifestName(file: string): string {
  return `${hashOf(`${format} ${packageVersion()} ${libraryUrl('batuta') ?? ''} ${file}`).slice(0, 20)}.json`;
}

function isUnchanged(input: BundleInput): boolean {
  const stat = statSync(input.path, { throwIfNoEntry: false });
  if (!stat || stat.size !== input.size) return false;
  return stat.mtimeMs === input.mtimeMs || hashOf(readFileSync(input.path)) === input.hash;
}

/** @throws Error if the module is gone */
function keepFresh(module: string, manifest: string): void {
  const now = systemClock.now();
  if (now - statSync(module).mtimeMs < dayMs) return;
  for (const path of [module, manifest]) {
    try {
      utimesSync(path, now / 1_000, now / 1_000);
    } catch {
      // A read-only cache still serves.
    }
  }
}

function writeWhole(path: string, text: string): void {
  const half = `${path}.${process.pid}-${randomUUID().slice(0, 8)}.half`;
  try {
    writeFileSync(half, text, { mode: 0o600 });
    renameSync(half, path);
  } catch (error) {
    rmSync(half, { force: true });
    throw error;
  }
}

function removeOld(folder: string): void {
  const oldest = systemClock.now() - keepMs;
  try {
    for (const name of readdirSync(folder).slice(0, maxPruned)) {
      const path = join(folder, name);
      if (/\.(mjs|json|half)$/.test(name) && statSync(path).mtimeMs < oldest) rmSync(path, { force: true });
    }
  } catch {
    // Another process is cleaning up, or the folder is not ours; the next bundle tries again.
  }
}
