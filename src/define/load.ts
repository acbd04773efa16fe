/** Loads a user's file and finds the flows it exports. */
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BatutaError, isBatutaError } from '../base/errors.ts';
import type { FlowClass } from '../model/context.ts';
import type { FlowDefinition } from '../model/flow.ts';
import { type Bundle, readBundle } from './bundle-cache.ts';
import { definitionFrom, isFlowClass } from './definition.ts';
import { fileNotFound, loadError, shownPath } from './load-errors.ts';
import { createRegistry } from './registry.ts';

/** A flow that was found in a file. `definition.source` says where, `definition.version` is the hash of its code. */
export interface LoadedFlow {
  readonly definition: FlowDefinition;
  readonly flowClass: FlowClass;
  /** Every file of the user's own that it was made from, absolute. */
  readonly inputs: readonly string[];
}

export interface LoadOptions {
  /** Folder that relative paths start from. Default: the working directory. */
  readonly cwd?: string | undefined;
}

/** What came of loading many files. */
export interface LoadedFlows {
  /** Sorted by name. A name that two flows claim is left out and told in `errors`. */
  readonly flows: readonly LoadedFlow[];
  /** One entry for each file that did not load and each name claimed twice. */
  readonly errors: readonly { readonly file: string; readonly error: BatutaError }[];
}

const codeFile = /\.(ts|mts|cts|tsx|js|mjs|cjs)$/;
const notFlows = /(\.d\.[cm]?ts|\.(test|spec)\.[cm]?[jt]sx?)$/;
/** Files bundled at the same time. */
const bundledAtOnce = 4;

/**
 * Loads a file and gives the flows it exports, in the order of their names; none when it exports none.
 *
 * A file that has not changed since it was last loaded, by whichever process, is imported without being compiled.
 *
 * @throws BatutaError FILE_NOT_FOUND, FILE_NOT_COMPILED, FILE_NOT_LOADED, FLOW_DUPLICATE, and what registration throws.
 */
export async function loadFlowFile(path: string, options: LoadOptions = {}): Promise<LoadedFlow[]> {
  const file = resolve(options.cwd ?? process.cwd(), path);
  return flowsOf(file, await bundleOf(file));
}

/**
 * Loads all flows of folders (with their subfolders) and files. What fails is collected, the rest is there.
 *
 * In folders, `.ts .mts .cts .tsx .js .mjs .cjs` files are loaded; tests, specs, declarations, `node_modules` and names that
 * begin with a dot are not.
 *
 * @throws BatutaError FILE_NOT_FOUND when one of the paths does not exist.
 */
export async function loadFlows(paths: string | readonly string[], options: LoadOptions = {}): Promise<LoadedFlows> {
  const files = new Set([paths].flat().flatMap((path) => listFiles(resolve(options.cwd ?? process.cwd(), path))));
  const errors: { file: string; error: BatutaError }[] = [];
  const loaded: LoadedFlow[] = [];
  for (const { file, bundle } of await bundleAll([...files])) {
    try {
      if (bundle instanceof Error) throw bundle;
      loaded.push(...(await flowsOf(file, bundle)));
    } catch (error) {
      errors.push({ file, error: asBatutaError(file, error) });
    }
  }
  return withoutDuplicates(withoutReExports(loaded), errors);
}

async function bundleOf(file: string): Promise<Bundle> {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) throw fileNotFound(file);
  if (!stat.isFile() || !codeFile.test(file)) {
    throw new BatutaError('FILE_NOT_COMPILED', `${shownPath(file)} is no TypeScript or JavaScript file.`, {
      details: { file, errors: [] },
    });
  }
  return readBundle(file) ?? (await makeBundleOf(file));
}

/** Apart, so that a file found in the cache never brings in the bundler. */
async function makeBundleOf(file: string): Promise<Bundle> {
  const { makeBundle } = await import('./bundle.ts');
  return makeBundle(file);
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

async function flowsOf(file: string, bundle: Bundle): Promise<LoadedFlow[]> {
  const exported = await importBundle(file, bundle);
  const inputs = bundle.inputs.map((input) => input.path);
  const classes = new Map<FlowClass, string>();
  for (const [name, value] of Object.entries(exported)) {
    // A class exported under two names counts once, and its own name is the better one.
    if (isFlowClass(value) && (!classes.has(value) || classes.get(value) === 'default')) classes.set(value, name);
  }
  const registry = createRegistry();
  const flows: LoadedFlow[] = [];
  for (const [flowClass, exportName] of classes) {
    try {
      const definition = definitionFrom(flowClass, { file, exportName, version: bundle.version });
      registry.add(definition);
      flows.push({ definition, flowClass, inputs });
    } catch (error) {
      if (!isBatutaError(error)) throw error;
      throw new BatutaError(error.code, `${shownPath(file)}: ${error.message}`, { cause: error, details: { ...error.details, file } });
    }
  }
  return flows.sort((a, b) => (a.definition.name < b.definition.name ? -1 : 1));
}

async function importBundle(file: string, bundle: Bundle, isRetry = false): Promise<Readonly<Record<string, unknown>>> {
  process.setSourceMapsEnabled(true);
  try {
    return (await import(/* @vite-ignore */ pathToFileURL(bundle.module).href)) as Record<string, unknown>;
  } catch (error) {
    const isGone = !statSync(bundle.module, { throwIfNoEntry: false });
    // Another process may tidy the cache between our look and the import.
    if (isGone && !isRetry) return importBundle(file, await makeBundleOf(file), true);
    throw loadError(file, bundle, error);
  }
}

/** Files that may hold flows, sorted; a file that is named itself is always one. @throws BatutaError FILE_NOT_FOUND */
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

/** Leaves out flows that a file only hands on from another file that was loaded too. */
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

function withoutDuplicates(loaded: readonly LoadedFlow[], errors: { file: string; error: BatutaError }[]): LoadedFlows {
  const registry = createRegistry();
  const claimedTwice = new Set<string>();
  for (const { definition } of loaded) {
    try {
      registry.add(definition);
    } catch (error) {
      const file = definition.source?.file ?? '';
      errors.push({ file, error: asBatutaError(file, error) });
      claimedTwice.add(definition.name);
    }
  }
  const flows = loaded.filter(({ definition }) => !claimedTwice.has(definition.name));
  return { flows: flows.sort((a, b) => (a.definition.name < b.definition.name ? -1 : 1)), errors };
}

function asBatutaError(file: string, error: unknown): BatutaError {
  if (isBatutaError(error)) return error;
  return new BatutaError(
    'FILE_NOT_LOADED',
    `${shownPath(file)} could not be loaded: ${error instanceof Error ? error.message : String(error)}`,
    { cause: error, details: { file } },
  );
}
