/**
 * Compiles the type tests with TypeScript 7, 5.9 and 5.4, with legacy and with standard decorators and without `strict`, and says
 * which failed.
 *
 * `node test/types/check.js` for all of them; with paths of files it compiles those in place of the type tests.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const modules = resolve(here, '../../node_modules');
/** Compiler, configuration beside this file, and how both are shown. `loose` is legacy decorators without `strict`. */
const runs = [
  ['typescript', 'legacy', 'TypeScript 7, legacy decorators'],
  ['typescript', 'standard', 'TypeScript 7, standard decorators'],
  ['typescript', 'loose', 'TypeScript 7, without strict'],
  ['typescript59', 'legacy', 'TypeScript 5.9, legacy decorators'],
  ['typescript59', 'standard', 'TypeScript 5.9, standard decorators'],
  ['typescript59', 'loose', 'TypeScript 5.9, without strict'],
  ['typescript54', 'legacy', 'TypeScript 5.4, legacy decorators'],
];

const files = process.argv.slice(2).map((path) => resolve(path));
const folder = mkdtempSync(join(tmpdir(), 'batuta-types-'));
let failed = false;
try {
  for (const [compiler, mode, shown] of files.length === 0 ? runs : runs.filter(([, mode]) => mode !== 'loose')) {
    const { output } = await compile(compiler, configFor(mode));
    failed ||= output !== '';
    console.log(`${output === '' ? 'ok    ' : 'FAILED'}  ${shown}${output === '' ? '' : `\n${output}`}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;

function configFor(mode) {
  const own = join(here, `tsconfig.${mode}.json`);
  if (files.length === 0) return own;
  const path = join(folder, `${mode}.json`);
  writeFileSync(path, JSON.stringify({ extends: own, include: [], files }));
  return path;
}

function compile(folderName, config) {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [join(modules, folderName, 'bin', 'tsc'), '-p', config, '--pretty', 'false'], { cwd: here });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', fail);
    child.on('close', () => done({ output: withoutOwnSource(Buffer.concat(chunks).toString('utf8')) }));
  });
}

/** Users compile against declarations; our own source need not suit an older compiler or a looser configuration. */
function withoutOwnSource(output) {
  let isOurs = false;
  const lines = output.split('\n').filter((line) => {
    if (!line.startsWith(' ')) isOurs = /^(\.\.\/)+src\//.test(line);
    return !isOurs;
  });
  return lines.join('\n').trim();
}
