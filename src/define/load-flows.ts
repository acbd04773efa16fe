/** Loads all flows of a project, file by file. */
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BatutaError, isBatutaError } from '../base/errors.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { Bundle } from './bundle-cache.ts';
import { type LoadedFlow, type LoadOptions, flowsOf } from './load.ts';
import { fileNotFound, shownPath } from './load-errors.ts';
import { createRegistry } from './registry.ts';
import { bundleOf, codeFile, filesReadBy } from './user-file.ts';

/** The outcome of loading many files. */
export interface LoadedFlows {
  /** Sorted by name. A name claimed by two flows is left out, and listed in `broken`. */
  readonly flows: readonly FlowDefinition[];
  /** One entry per file that did not load and per name claimed twice. */
  readonly broken: readonly { readonly file: string; readonly error: BatutaError }[];
  /** For each file that compiled all files it was made from, with itself; absolute paths. */
  readonly inputs: ReadonlyMap<string, readonly string[]>;
}

const notFlows = /(\.d\.[cm]?ts|\.(test|spec)\.[cm]?[jt]sx?)$/;
/** Files bundled at the same time. */
const bundledAtOnce = 4;

/**
 * Loads all flows of folders (with their subfolders) and files. Failures are collected, the rest is loaded.
 *
 * In folders, `.ts .mts .cts .tsx .js .mjs .cjs` files are loaded; tests, specs, declarations, `node_modules` and names with a leading dot
 * are not.
 *
 * @throws BatutaError FILE_NOT_FOUND if one of the paths does not exist
 */
export async function loadFlows(paths: string | readonly string[], options: LoadOptions = {}): Promise<LoadedFlows> {
  const files = new Set([paths].flat().flatMap((path) => listFiles(resolve(options.cwd ?? process.cwd(), path))));
  const broken: { file: string; error: BatutaError }[] = [];
  const loaded: LoadedFlow[] = [];
  const inputs = new Map<string, readonly string[]>();
  for (const { file, bundle } of await bundleAll([...files])) {
    try {
      if (bundle instanceof Error) throw bundle;
      loaded.push(...(await flowsOf(file, bundle)));
    } catch (error) {
      broken.push({ file, error: asBatutaError(file, error) });
    }
    if (!(bundle instanceof Error)) inputs.set(file, [...bundle.inputs.map(({ path }) => path), ...filesReadBy(bundle.module)]);
  }
  return { ...withoutDuplicates(withoutReExports(loaded), broken), inputs };
}

async function bundleAll(files: readonly string[]): Promise<{ readonly file: string; readonly bundle: Bundle | Error }[]> {
  const bundles: { file: string; bundle: Bundle | Error }[] = files.map((file) => ({ file, bundle: new Error('not yet') }));
  let next = 0;
  const work = async (): Promise<void> => {
    for (let slot = bundles[next++]; slot; slot = bundles[next++]) {
      slot.bundle = await bundleOf(slot.file).catch((error: unknown) => asBatutaError(slot.file, error));
    }
  };
  await Promise.all(Array.from({ length: bundledAtOnce }, work));
  return bundles;
}

/** Files that may hold flows, sorted; always includes a file named explicitly. @throws BatutaError FILE_NOT_FOUND */
function listFiles(path: string): string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw fileNotFound(path);
  return stat.isDirectory() ? listFolder(path) : [path];
}

function listFolder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.') && entry.name !== 'node_modules')
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return listFolder(path);
      const isFile = entry.isFile() || (entry.isSymbolicLink() && statSync(path, { throwIfNoEntry: false })?.isFile() === true);
      return isFile && codeFile.test(entry.name) && !notFlows.test(entry.name) ? [path] : [];
    });
}

/** Leaves out flows that a file only re-exports from another loaded file. */
function withoutReExports(loaded: readonly LoadedFlow[]): LoadedFlow[] {
  const byName = new Map<string, LoadedFlow[]>();
  for (const flow of loaded) byName.set(flow.definition.name, [...(byName.get(flow.definition.name) ?? []), flow]);
  return [...byName.values()].flatMap((same) => same.filter((flow) => !same.some((other) => other !== flow && isHandedOn(flow, other))));
}

function isHandedOn(flow: LoadedFlow, by: LoadedFlow): boolean {
  const origin = by.definition.source?.file;
  const isInput = origin !== undefined && flow.inputs.includes(origin) && flow.definition.source?.file !== origin;
  return isInput && String(flow.flowClass) === String(by.flowClass);
}

function withoutDuplicates(
  loaded: readonly LoadedFlow[],
  broken: { file: string; error: BatutaError }[],
): Pick<LoadedFlows, 'flows' | 'broken'> {
  const registry = createRegistry();
  const claimedTwice = new Set<string>();
  for (const { definition } of loaded) {
    try {
      registry.add(definition);
    } catch (error) {
      const file = definition.source?.file ?? '';
      broken.push({ file, error: asBatutaError(file, error) });
      claimedTwice.add(definition.name);
    }
  }
  return { flows: registry.list().filter(({ name }) => !claimedTwice.has(name)), broken };
}

function asBatutaError(file: string, error: unknown): BatutaError {
  if (isBatutaError(error)) return error;
  return new BatutaError(
    'FILE_NOT_LOADED',
    `${shownPath(file)} could not be loaded: ${error instanceof Error ? error.message : String(error)}`,
    { cause: error, details: { file } },
  );
}
