/**
 * Compiles the type tests with TypeScript 7, 5.9 and 5.4, with legacy and with standard decorators and without `strict`, and says
 * which failed. As with users, what they import are declarations, those of the last `node scripts/build.js --types`.
 *
 * `node test/types/check.js` for all of them; with paths of files it compiles those in place of the type tests.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const modules = join(root, 'node_modules');
/** Compiler, configuration beside this file, and how both are shown. `loose` is legacy decorators without `strict`. */
const runs = [
  ['typescript', 'legacy', 'TypeScript 7, legacy decorators'],
  ['typescript', 'standard', 'TypeScript 7, standard decorators'],
  ['typescript', 'loose', 'TypeScript 7, without strict'],
  ['typescript59', 'legacy', 'TypeScript 5.9, legacy decorators'],
  ['typescript59', 'standard', 'TypeScript 5.9, standard decorators'],
  ['typescript59', 'loose', 'TypeScript 5.9, without strict'],
  ['typescript54', 'legacy', 'TypeScript 5.4, legacy decorators'],
  ['typescript54', 'standard', 'TypeScript 5.4, standard decorators'],
  ['typescript54', 'loose', 'TypeScript 5.4, without strict'],
];

const files = process.argv.slice(2).map((path) => relative(root, resolve(path)));
const folder = mkdtempSync(join(tmpdir(), 'batuta-types-'));
const copied = join(folder, 'test', 'types');
let failed = false;
try {
  copyAll();
  for (const [compiler, mode, shown] of files.length === 0 ? runs : runs.filter(([, mode]) => mode !== 'loose')) {
    const output = await compile(compiler, configFor(mode));
    failed ||= output !== '';
    console.log(`${output === '' ? 'ok    ' : 'FAILED'}  ${shown}${output === '' ? '' : `\n${output}`}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;

/** The same tree as here, in which `src` holds declarations. */
function copyAll() {
  copyWithImports(here, copied, /\.(ts|json)$/);
  copyWithImports(join(modules, '.cache', 'batuta-declarations'), join(folder, 'src'), /\.d\.ts$/);
  symlinkSync(modules, join(folder, 'node_modules'));
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
}

/** `./name.ts` names a source; a declaration is found by `./name.js`. */
function copyWithImports(from, to, ending) {
  for (const name of readdirSync(from, { recursive: true, encoding: 'utf8' }).filter((path) => ending.test(path))) {
    mkdirSync(dirname(join(to, name)), { recursive: true });
    const text = readFileSync(join(from, name), 'utf8');
    writeFileSync(join(to, name), text.replace(/((?:from|import)\s*\(?\s*['"]\.{1,2}\/[^'"]+)\.ts(?=['"])/g, '$1.js'));
  }
}

function configFor(mode) {
  const own = join(copied, `tsconfig.${mode}.json`);
  if (files.length === 0) return own;
  const path = join(folder, `${mode}.json`);
  writeFileSync(path, JSON.stringify({ extends: own, include: [], files: files.map((file) => join(folder, file)) }));
  return path;
}

function compile(compiler, config) {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [join(modules, compiler, 'bin', 'tsc'), '-p', config, '--pretty', 'false'], { cwd: copied });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', fail);
    child.on('close', () => done(Buffer.concat(chunks).toString('utf8').trim()));
  });
}
