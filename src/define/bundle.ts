/**
 * Bundles a flow file and the user files it imports into one module, with esbuild.
 *
 * Packages stay outside and are resolved from the user's file; packages of the same workspace, which are links to source, are included.
 * Each file keeps its own `import.meta.url`, `__dirname` and so on. The code is first made with placeholders for absolute paths, so its
 * hash is the same on every machine.
 */
import { readFileSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildResult, Loader, OnLoadArgs, OnLoadResult, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from 'esbuild';
import { type Bundle, type BundleInput, hashOf, inputOf, modulesOf, writeBundle } from './bundle-cache.ts';
import { nearestFile } from './cache-folder.ts';
import { lacksMetadata, type MetadataCompiler, metadataCompiler } from './decorator-metadata.ts';
import { libraryUrl } from './library.ts';
import { compileError } from './load-errors.ts';

type Esbuild = typeof import('esbuild');

/** Where esbuild finds the library for files that `require` it. */
const requiredLibrary = 'batuta-required';

/** Assets that a flow may import, besides those esbuild knows. */
const loaders: Record<string, Loader> = {
  '.txt': 'text',
  '.md': 'text',
  '.sql': 'text',
  '.csv': 'text',
  '.html': 'text',
  '.graphql': 'text',
  '.yaml': 'text',
  '.yml': 'text',
  '.wasm': 'binary',
};

/** How a file refers to its own place, and the constant added to the file for it. */
const ownPlace = {
  'import.meta.url': '__batutaUrl',
  'import.meta.filename': '__batutaFilename',
  'import.meta.dirname': '__batutaDirname',
  __filename: '__batutaFilename',
  __dirname: '__batutaDirname',
} as const;

/** Placeholders in the code, and their text in a bundle of that folder. */
type StandIns = Map<string, (folder: string) => string>;

interface Making {
  readonly entry: string;
  readonly withMetadata: MetadataCompiler | null;
  readonly inputs: Map<string, BundleInput>;
  readonly packages: Map<string, string>;
  readonly standIns: StandIns;
}

/**
 * Bundles a flow file again and caches the result.
 *
 * @param file absolute path
 * @throws BatutaError FILE_NOT_COMPILED with all errors in `details.errors`
 */
export async function makeBundle(file: string): Promise<Bundle> {
  const tsconfig = nearestFile(dirname(file), 'tsconfig.json');
  const configs = (tsconfig === null ? [] : tsconfigChain(tsconfig)).map((path) => ({ path, ...readInput(path) }));
  const texts = configs.map(({ content }) => content.toString('utf8'));
  const withMetadata = tsconfig === null ? null : metadataCompiler(tsconfig, texts);
  const making: Making = { entry: file, withMetadata, inputs: new Map(), packages: new Map(), standIns: new Map() };
  const { code, map } = await compile(making);
  for (const { path, input } of configs) making.inputs.set(path, input);
  const facts = {
    version: hashOf(code).slice(0, 12),
    inputs: [...making.inputs.values()],
    tsconfig,
    packages: Object.fromEntries(making.packages),
    ...(tsconfig !== null && lacksMetadata(tsconfig, texts) ? { lacksMetadata: true } : {}),
  };
  return writeBundle(file, facts, (folder) => finish(code, map, making, folder));
}

async function compile(making: Making): Promise<{ readonly code: string; readonly map: string }> {
  const folder = dirname(making.entry);
  return withEsbuild(async (esbuild) => {
    let result: BuildResult<{ write: false }>;
    try {
      result = await esbuild.build({
        entryPoints: [making.entry],
        absWorkingDir: folder,
        outfile: join(folder, 'batuta-flow.mjs'),
        bundle: true,
        write: false,
        format: 'esm',
        platform: 'node',
        target: 'node20',
        conditions: [],
        keepNames: true,
        sourcemap: 'external',
        sourcesContent: false,
        legalComments: 'none',
        logLevel: 'silent',
        loader: loaders,
        define: ownPlace,
        plugins: [placesPlugin(making)],
      });
    } catch (error) {
      throw compileError(making.entry, error, (path) => prefixFor(making, path).length);
    }
    const textOf = (end: string): string => result.outputFiles.find((output) => output.path.endsWith(end))?.text ?? '';
    return { code: textOf('.mjs'), map: textOf('.map') };
  });
}

function placesPlugin(making: Making): Plugin {
  return {
    name: 'batuta',
    setup(build) {
      build.onResolve({ filter: /^[^./]|^\.{3}/ }, (args) => resolveOutside(build, args, making));
      build.onLoad({ filter: /.*/, namespace: requiredLibrary }, ({ path }) => ({ contents: `export * from '${path}';` }));
      build.onLoad({ filter: /.*/, namespace: 'file' }, (args) => loadInput(args, making));
    },
  };
}

/** Resolves a bare specifier: the library, Node, an outside package, or source to include (undefined). */
async function resolveOutside(build: PluginBuild, args: OnResolveArgs, making: Making): Promise<OnResolveResult | undefined> {
  if (
    args.kind === 'entry-point' ||
    args.pluginData === making ||
    /^(data|https?|file):/.test(args.path) ||
    /^[A-Za-z]:[\\/]/.test(args.path)
  )
    return undefined;
  if (isBuiltin(args.path)) return { path: args.path, external: true };
  const isRequired = args.kind === 'require-call' || args.kind === 'require-resolve';
  const library = libraryUrl(args.path);
  if (library !== undefined) {
    // Turns a `require` of it into an import, so that all share one copy.
    if (isRequired) return { path: args.path, namespace: requiredLibrary };
    return { path: standIn(making, 'library', args.path, () => library), external: true };
  }
  const found = await build.resolve(args.path, {
    importer: args.importer,
    resolveDir: args.resolveDir,
    kind: args.kind,
    pluginData: making,
  });
  if (found.errors.length > 0 && args.path.startsWith('#')) return undefined;
  const isPackage = found.errors.length > 0 || found.external || found.path.includes(`${sep}node_modules${sep}`);
  if (!isPackage) return undefined;
  if (!making.packages.has(args.path)) making.packages.set(args.path, args.importer);
  if (found.errors.length > 0 || found.external) return { path: args.path, external: true };
  const modules = nearestFile(args.resolveDir, 'node_modules');
  // By name if the bundle is next to the importer's packages, by path from elsewhere.
  const place = (folder: string): string => {
    const seen = modulesOf(folder);
    if (seen !== null && seen === modules) return args.path;
    return isRequired ? found.path : pathToFileURL(found.path).href;
  };
  return {
    path: standIn(making, isRequired ? 'require' : 'package', `${modules === null ? '' : fromEntry(making, modules)}:${args.path}`, place),
    external: true,
  };
}

function loadInput(args: OnLoadArgs, making: Making): OnLoadResult | undefined {
  if (extname(args.path) === '.node') return undefined;
  const { content, input } = readInput(args.path);
  making.inputs.set(args.path, input);
  if (!isCode(args.path)) return { contents: content, loader: 'default' };
  const text = content
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .replace(/^#!/, '//');
  // Still as TypeScript, in which an import may name a type.
  if (making.withMetadata !== null && /\.[cm]?ts$/.test(args.path) && text.includes('@'))
    return { contents: prefixFor(making, args.path, text) + making.withMetadata(args.path, text), loader: 'ts' };
  return { contents: prefixFor(making, args.path, text) + text, loader: 'default' };
}

/** On the first line, to keep line numbers. Only in files that ask for their place. */
function prefixFor(making: Making, path: string, text = readFileSync(path, 'utf8')): string {
  if (!isCode(path) || !/\bimport\s*\.\s*meta\b|\b__(dir|file)name\b/.test(text)) return '';
  const from = fromEntry(making, path);
  const url = standIn(making, 'url', from, () => pathToFileURL(path).href);
  const filename = standIn(making, 'file', from, () => path);
  const folder = standIn(making, 'folder', from, () => dirname(path));
  return `const __batutaUrl = "${url}", __batutaFilename = "${filename}", __batutaDirname = "${folder}"; `;
}

/** The code to import: with real paths, a `require` that resolves from the user's file, and an inline source map. */
function finish(code: string, map: string, making: Making, folder: string): string {
  let text = code;
  for (const [name, place] of making.standIns) text = text.replaceAll(`"${name}"`, () => JSON.stringify(place(folder)));
  // esbuild calls it __require, and uses `require` if there is one.
  if (text.includes('__require')) {
    const from = JSON.stringify(pathToFileURL(making.entry).href);
    text = text.replace(
      'var __require =',
      () =>
        `import { createRequire as __batutaCreateRequire } from 'node:module'; var __require = __batutaCreateRequire(${from}), __unusedRequire =`,
    );
  }
  return `${text}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(placeSources(map, dirname(making.entry))).toString('base64')}\n`;
}

function placeSources(map: string, folder: string): string {
  const parsed = JSON.parse(map) as { sources: string[] };
  return JSON.stringify({ ...parsed, sources: parsed.sources.map((source) => pathToFileURL(resolve(folder, source)).href) });
}

function standIn(making: Making, kind: string, about: string, place: (folder: string) => string): string {
  const name = `batuta-${kind}:${encodeURIComponent(about)}`;
  making.standIns.set(name, place);
  return name;
}

function fromEntry(making: Making, path: string): string {
  return relative(dirname(making.entry), path).split(sep).join('/');
}

function isCode(path: string): boolean {
  return /\.[cm]?[jt]sx?$/.test(path);
}

function readInput(path: string): { readonly content: Buffer; readonly input: BundleInput } {
  const stat = statSync(path);
  const content = readFileSync(path);
  return { content, input: inputOf(path, content, stat) };
}

/** A tsconfig and those it extends by path; those of packages change with an installation and are not followed. */
function tsconfigChain(first: string): string[] {
  const chain: string[] = [];
  for (const queue = [first]; queue.length > 0 && chain.length < 20; ) {
    const path = queue.shift() as string;
    if (chain.includes(path) || !statSync(path, { throwIfNoEntry: false })?.isFile()) continue;
    chain.push(path);
    const value = /"extends"\s*:\s*(\[[^\]]*\]|"[^"]*")/.exec(readFileSync(path, 'utf8'))?.[1] ?? '';
    for (const [, base = ''] of value.matchAll(/"([^"]*)"/g)) {
      if (base.startsWith('.')) queue.push(resolve(dirname(path), base), resolve(dirname(path), `${base}.json`));
    }
  }
  return chain;
}

let running = 0;

/** Loads esbuild, and ends its process once no bundle is in progress. */
async function withEsbuild<T>(work: (esbuild: Esbuild) => Promise<T>): Promise<T> {
  running++;
  let esbuild: Esbuild | undefined;
  try {
    esbuild = await import('esbuild');
    return await work(esbuild);
  } finally {
    running--;
    if (running === 0) await esbuild?.stop();
  }
}
