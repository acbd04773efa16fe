/**
 * Compiles the type tests with TypeScript 7 and 5.9, each with legacy and with standard decorators, and says which failed.
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
const compilers = { 'TypeScript 7': 'typescript', 'TypeScript 5.9': 'typescript59' };
const modes = ['legacy', 'standard'];

const files = process.argv.slice(2).map((path) => resolve(path));
const folder = mkdtempSync(join(tmpdir(), 'batuta-types-'));
let failed = false;
try {
  for (const [compiler, folderName] of Object.entries(compilers)) {
    for (const mode of modes) {
      const { status, output } = await compile(folderName, configFor(mode));
      failed ||= status !== 0;
      console.log(`${status === 0 ? 'ok    ' : 'FAILED'}  ${compiler}, ${mode} decorators${output === '' ? '' : `\n${output}`}`);
    }
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
    child.on('close', (status) => done({ status, output: Buffer.concat(chunks).toString('utf8').trim() }));
  });
}
