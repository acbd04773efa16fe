/**
 * Builds `dist`: JavaScript bundled by esbuild, declarations by tsc, the dashboard by Vite.
 *
 * `node scripts/build.js` builds all; with `--js` only the JavaScript, which is what tests that start the command line
 * need, with `--types` only the declarations, with `--web` only the dashboard; building all writes the notices of the code of others as well. Files are replaced one by one and only when they differ, and what is no longer made is deleted at the end, so a
 * process that runs from `dist` meanwhile keeps working.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { beginBuild } from './built-parts.js';
import { groupChunks } from './chunks.js';
import { findPackages, writeNotices } from './third-party.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');

/** What is started or imported by its own name. Those of `src` lie in `dist` without that folder, the others with theirs. */
const entries = [
  'src/index.ts',
  'src/client/index.ts',
  'src/testing/index.ts',
  'src/process/index.ts',
  'src/kit/resources/index.ts',
  'src/kit/streams/index.ts',
  'src/kit/steps/index.ts',
  'src/cli/main.ts',
  'src/define/isolate-entry.ts',
  'src/define/register.ts',
  'src/define/register-hooks.ts',
  'worker/main.ts',
  'worker/alone.ts',
  'worker/watchdog-thread.ts',
  'scheduler/main.ts',
];
/** Small threads: each is one file with all it needs, so that no chunk has to be cut where only they need a part of it. */
const threads = ['src/define/orphan-guard.ts', 'src/tracing/exporter-thread.ts'];

/** What is installed beside us: native, with files or threads of its own, or shared with the user's code, where two copies would be two worlds. */
const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const external = Object.keys({ ...dependencies, ...peerDependencies });
/** Those of them that are CommonJS in every form. */
const commonJs = ['@opentelemetry/api', 'esbuild', 'libsql', 'pg', 'pino'];

/**
 * Loads them by `require`. An `import` first searches the text for the names that it exports: that takes longer than to load a package, and
 * then V8 optimizes the parser, for tens of milliseconds on another core. Only `import` statements: what `import()` gives has names.
 * Programs that list the files of a program (`output: 'standalone'` of Next.js) look for an `import`, so one is there that is never executed.
 */
const requireCommonJs = {
  name: 'require-common-js',
  setup(build) {
    build.onResolve({ filter: new RegExp(`^(?:${commonJs.join('|')})$`) }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'required' } : { path, external: true },
    );
    build.onLoad({ filter: /.*/, namespace: 'required' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});\nmodule.imported = () => import(${JSON.stringify(path)});`,
    }));
  },
};

/** Names that the usual banners of programs with all packages inside declare themselves. */
const usedByBanners = ['createRequire', 'fileURLToPath', 'dirname', 'path', 'url', '__filename', '__dirname'];

/**
 * CommonJS packages that are bundled in ask for `require` and `__dirname`, which an ES module does not have. A bundler of users that makes
 * CommonJS of us takes the address of the module away, without which nothing here finds its files. A name that one of our files uses and does
 * not declare is given to none of our declarations by the bundler of a user.
 */
const banner = `import { createRequire as createRequireForBundle } from 'node:module';
void [${usedByBanners.map((name) => `typeof ${name}`).join(', ')}];
if (!import.meta.url) throw new Error('Batuta was bundled into CommonJS. Keep the package "batuta" external, for example with --external:batuta.');
const require = createRequireForBundle(import.meta.url); const dirnameForBundle = import.meta.dirname;`;

/** Files that `@fastify/swagger-ui` serves; from a chunk it finds them as from its own folder. */
const docsFiles = join(root, 'node_modules', '@fastify', 'swagger-ui', 'static');

const importedFile = /((?:from|import)\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+)\.ts\2/g;
/** What users import, without its ending. */
const publicEntries = [
  'index',
  'client/index',
  'testing/index',
  'process/index',
  'kit/resources/index',
  'kit/streams/index',
  'kit/steps/index',
  'define/register',
];

const notices = join(dist, 'THIRD_PARTY_NOTICES.txt');
/** Ids of all modules that went into a bundle. */
const bundledModules = new Set();

const only = ['--js', '--types', '--web'].find((flag) => process.argv.includes(flag));
const wants = (flag) => only === undefined || only === flag;
const isOfWeb = (path) => !relative(join(dist, 'web'), path).startsWith('..');
const noteBuilt = beginBuild(only === undefined ? ['--js', '--types', '--web', '--notices'] : [only]);
const made = new Set([
  ...(wants('--js') ? await buildJs() : listFiles(dist).filter((path) => !isOfWeb(path) && !path.endsWith('.d.ts'))),
  ...(wants('--types') ? buildDeclarations() : listDeclarations(dist)),
  ...(wants('--web') ? await buildWeb() : listFiles(join(dist, 'web'))),
  notices,
]);
if (only === undefined) replaceFile(notices, Buffer.from(writeNotices(findPackages(root, bundledModules))));
deleteAllBut(made);
noteBuilt();

async function buildJs() {
  const options = {
    absWorkingDir: root,
    entryPoints: entries.map(builtAs),
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: false,
    sourcesContent: false,
    legalComments: 'none',
    banner: { js: banner },
    define: { __dirname: 'dirnameForBundle' },
    external,
    write: false,
    metafile: true,
    logLevel: 'warning',
    plugins: [requireCommonJs],
  };
  const made = async (more) => build({ ...options, ...more }).catch(() => process.exit(1)); // esbuild has printed what is wrong
  const { metafile } = await made();
  const result = await made({ plugins: [requireCommonJs, groupChunks(root, metafile, entries)] });
  const apart = await made({ entryPoints: threads.map(builtAs), splitting: false });
  for (const { metafile } of [result, apart])
    for (const { inputs } of Object.values(metafile.outputs)) for (const id of Object.keys(inputs)) bundledModules.add(id);
  const files = [
    ...[...result.outputFiles, ...apart.outputFiles].map(({ path, contents }) => ({ path, contents })),
    ...commonJsFiles().map(([path, text]) => ({ path: join(dist, 'cjs', path), contents: Buffer.from(text) })),
    ...listFiles(docsFiles).map((path) => ({ path: join(dist, 'static', relative(docsFiles, path)), contents: readFileSync(path) })),
  ];
  for (const { path, contents } of files) replaceFile(path, contents);
  return files.map(({ path }) => path);
}

function builtAs(entry) {
  return { in: entry, out: entry.replace(/^src\//, '').replace(/\.ts$/, '') };
}

/** For importers that are CommonJS: Node loads an ES module by `require`, but compilers take its types only beside a file that is CommonJS. */
function commonJsFiles() {
  const files = publicEntries.map((entry) => [
    `${entry}.js`,
    `module.exports = require('${relative(dirname(join('cjs', entry)), entry)}.js');\n`,
  ]);
  return [...files, ['package.json', '{ "type": "commonjs" }\n']];
}

function buildDeclarations() {
  const out = join(root, 'node_modules', '.cache', 'batuta-declarations');
  rmSync(out, { recursive: true, force: true });
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const run = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', out], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (run.status !== 0) process.exit(run.status ?? 1);
  const files = reachable(publicEntries.map((entry) => join(out, `${entry}.d.ts`)));
  const made = [...files].flatMap(([path, text]) =>
    [join(dist, relative(out, path)), join(dist, 'cjs', relative(out, path))].map((target) => ({ target, text })),
  );
  for (const { target, text } of made) replaceFile(target, Buffer.from(text));
  return made.map(({ target }) => target);
}

/** These declarations and all that they import, as they are shipped; what only our own tests and commands need stays here. */
function reachable(entryFiles) {
  const found = new Map();
  const visit = (path) => {
    if (found.has(path)) return;
    const text = readFileSync(path, 'utf8');
    found.set(path, nameBuiltFiles(text));
    for (const [, , , name] of text.matchAll(importedFile)) visit(resolve(dirname(path), `${name}.d.ts`));
  };
  entryFiles.forEach(visit);
  return found;
}

async function buildWeb() {
  // Tests build too, and their NODE_ENV would give the slow React meant for developing.
  process.env.NODE_ENV = 'production';
  const { build: buildVite } = await import('vite');
  const out = join(root, 'node_modules', '.cache', `batuta-web-${process.pid}`);
  const plugins = [{ name: 'bundled-modules', generateBundle: noteModules }];
  await buildVite({ root: join(root, 'web'), build: { outDir: out }, logLevel: 'warn', plugins }).catch((error) => {
    console.error(error);
    process.exit(1);
  });
  const files = listFiles(out).map((path) => ({ path, target: join(dist, 'web', relative(out, path)) }));
  const made = files.flatMap(({ path, target }) => {
    const contents = readFileSync(path);
    return [{ target, contents }, ...compressed(target, contents)];
  });
  for (const { target, contents } of made) replaceFile(target, contents);
  rmSync(out, { recursive: true, force: true });
  return made.map(({ target }) => target);
}

/** Style sheets are no part of a chunk in the end, but of the graph. */
function noteModules(_options, bundle) {
  for (const id of this.getModuleIds()) bundledModules.add(id);
  for (const { modules = {} } of Object.values(bundle)) for (const id of Object.keys(modules)) bundledModules.add(id);
}

/** The server sends these where a browser takes them. Only of files whose name changes with their content: no old one can stand beside a new one. */
function compressed(target, contents) {
  if (!target.startsWith(join(dist, 'web', 'assets')) || contents.length < 1_000) return [];
  return [
    { target: `${target}.br`, contents: brotliCompressSync(contents) },
    { target: `${target}.gz`, contents: gzipSync(contents, { level: 9 }) },
  ];
}

/**
 * tsc leaves `./name.ts` in declarations; what is shipped is `./name.js`. It also leaves imports that name nothing, of packages which are
 * bundled in, and not installed with us.
 */
function nameBuiltFiles(declarations) {
  return declarations.replace(/^import '[^'.][^']*';\n/gm, '').replace(importedFile, '$1$2$3.js$2');
}

function listDeclarations(folder) {
  return listFiles(folder).filter((path) => path.endsWith('.d.ts'));
}

function listFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function replaceFile(path, contents) {
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  mkdirSync(dirname(path), { recursive: true });
  const half = `${path}.${process.pid}.half`;
  writeFileSync(half, contents);
  renameSync(half, path);
}

function deleteAllBut(paths) {
  for (const path of listFiles(dist)) if (!paths.has(path)) rmSync(path, { force: true });
}
