/**
 * Node.js hooks of `batuta/register`: how TypeScript files are found and compiled. Files of packages are left to Node.js.
 *
 * Source: Node.js documentation, "Customization hooks".
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import type { LoadHook, ResolveHook } from 'node:module';
import { dirname, extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { nearestFile } from './cache-folder.ts';
import { metadataCompiler, type MetadataCompiler } from './decorator-metadata.ts';
import { compileError } from './load-errors.ts';

/** Import extensions, as in compiled files, and the source files they may mean. */
const sources: Readonly<Record<string, readonly string[]>> = {
  '.js': ['.ts', '.tsx'],
  '.jsx': ['.tsx'],
  '.mjs': ['.mts'],
  '.cjs': ['.cts'],
  '': ['.ts', '.tsx', '.mts', '.js', '/index.ts', '/index.tsx', '/index.js'],
};

/** Metadata compilers by tsconfig path; null without `emitDecoratorMetadata`. */
const metadata = new Map<string, MetadataCompiler | null>();

/** Finds a file as Node.js does, or else the TypeScript file for it. */
export const resolve: ResolveHook = async (specifier, context, next) => {
  try {
    return await next(specifier, context);
  } catch (error) {
    const found = context.parentURL === undefined ? null : findSource(specifier, context.parentURL);
    if (found === null) throw error;
    return { ...(await next(found, context)), shortCircuit: true };
  }
};

/** Compiles TypeScript to JavaScript. @throws BatutaError FILE_NOT_COMPILED with file, line and cause */
export const load: LoadHook = async (url, context, next) => {
  const path = url.startsWith('file:') ? fileURLToPath(url) : null;
  if (path === null || !/\.[cm]?tsx?$/.test(path) || path.includes('/node_modules/')) return await next(url, context);
  return { format: 'module', source: await compile(path), shortCircuit: true };
};

function findSource(specifier: string, parent: string): string | null {
  if (!/^\.{0,2}\/|^file:/.test(specifier) || !parent.startsWith('file:') || parent.includes('/node_modules/')) return null;
  const path = fileURLToPath(new URL(specifier, parent));
  const ending = extname(path) in sources ? extname(path) : '';
  const base = ending === '' ? path : path.slice(0, -ending.length);
  const found = sources[ending]?.map((other) => base + other).find((file) => existsSync(file) && statSync(file).isFile());
  return found === undefined ? null : pathToFileURL(found).href;
}

/**
 * What CommonJS code has without importing it. Such a file still becomes an ES module: Node.js 20 does not let CommonJS from hooks require
 * ES modules, which this library is.
 */
const commonJs = `import { createRequire as __batutaCreateRequire } from 'node:module'; import { fileURLToPath as __batutaPath } from 'node:url'; const require = __batutaCreateRequire(import.meta.url), __filename = __batutaPath(import.meta.url), __dirname = __batutaPath(new URL('.', import.meta.url)).slice(0, -1);`;

/** By the extension, else by the nearest package.json. */
function isCommonJs(path: string): boolean {
  if (/\.[cm]tsx?$/.test(path)) return /\.ctsx?$/.test(path);
  const manifest = nearestFile(dirname(path), 'package.json');
  const { type } = manifest === null ? {} : (JSON.parse(readFileSync(manifest, 'utf8')) as { readonly type?: string });
  return type === 'commonjs';
}

async function compile(path: string): Promise<string> {
  const { build } = await import('esbuild');
  const withMetadata = metadataOf(path);
  try {
    const { outputFiles } = await build({
      ...(withMetadata === null
        ? { entryPoints: [path] }
        : {
            stdin: { contents: withMetadata(path, readFileSync(path, 'utf8')), sourcefile: path, resolveDir: dirname(path), loader: 'ts' },
          }),
      absWorkingDir: dirname(path),
      outfile: path.replace(/\.[cm]?tsx?$/, '.js'),
      bundle: false,
      write: false,
      format: 'esm',
      ...(isCommonJs(path) ? { banner: { js: commonJs } } : {}),
      platform: 'node',
      target: 'node20',
      keepNames: true,
      sourcemap: 'inline',
      legalComments: 'none',
      logLevel: 'silent',
    });
    return outputFiles[0]?.text ?? '';
  } catch (error) {
    throw compileError(path, error, () => 0);
  }
}

function metadataOf(path: string): MetadataCompiler | null {
  const tsconfig = nearestFile(dirname(path), 'tsconfig.json');
  if (tsconfig === null) return null;
  const known = metadata.get(tsconfig);
  if (known !== undefined) return known;
  const made = metadataCompiler(tsconfig, [readFileSync(tsconfig, 'utf8')]);
  metadata.set(tsconfig, made);
  return made;
}
