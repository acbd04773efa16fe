/** `batuta init` and `config`. */
import { mkdirSync, readFileSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { describeConfig } from '../../base/config.ts';
import { BatutaError } from '../../base/errors.ts';
import { packageVersion } from '../../base/installed.ts';
import { programName } from '../../base/program-name.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { openSettings } from '../open.ts';
import { printJson, printTable } from '../print.ts';
import { usage } from '../read-options.ts';
import { scaffold, stepsForExisting } from '../scaffold.ts';

const goodName = /^[A-Za-z0-9._][A-Za-z0-9._ -]*$/;
const maxNameChars = 100;

/**
 * Writes the missing files and reports which existed.
 *
 * @throws BatutaError USAGE for a folder name that no package may have, a file in the way, or when every file exists; STORE_READ_ONLY when
 * the folder cannot be written
 */
export async function init(context: CommandContext, dir: string): Promise<ExitStatus> {
  const { terminal } = context;
  const { out } = terminal;
  if (dir.trim() === '') throw badName(dir);
  const folder = resolve(terminal.cwd, dir);
  const name = checkFolder(folder, dir, terminal.cwd);
  const existing: string[] = [];
  const made: string[] = [];
  const isNew = statOrNull(join(folder, 'package.json')) === null;
  for (const file of scaffold({ name, version: packageVersion() }).filter(({ isForNew = false }) => isNew || !isForNew))
    (writeNew(join(folder, file.path), file.text) ? made : existing).push(file.path);
  for (const path of made) out.line(`${out.paint.green('✓')} ${path}`);
  for (const path of existing) out.line(`${out.paint.gray('⊘')} ${path} ${out.paint.dim('exists and was left alone')}`);
  if (made.length === 0) throw usage(`Nothing to make in ${folder}: all of ${existing.join(', ')} exist.`);
  out.line();
  const toAdd = stepsForExisting(existing, readOrEmpty(join(folder, 'package.json')), readOrEmpty(join(folder, 'tsconfig.json')));
  for (const step of nextSteps(relative(terminal.cwd, folder), toAdd)) out.line(`  ${out.paint.cyan(step)}`);
  return 0;
}

/** Returns the project's name: that of the folder. */
function checkFolder(folder: string, given: string, cwd: string): string {
  const name = basename(folder);
  if (folder !== resolve(cwd) && (!goodName.test(name) || name.length > maxNameChars)) throw badName(given);
  for (let at = folder; ; at = dirname(at)) {
    const found = statOrNull(at);
    if (found?.isDirectory() || dirname(at) === at) return packageName(name);
    if (found) throw usage(`${at} is a file, so no project can be made in ${folder}. Choose another folder.`);
  }
}

function badName(given: string): BatutaError {
  return usage(`'${given}' is not a valid name for a project folder: use letters, digits, '.', '-' and '_'.`);
}

/** Null also if a file is in the way. */
function statOrNull(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

function packageName(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+|[._-]+$/g, '');
  return plain === '' ? 'flows' : plain;
}

/** Writes a file unless it exists; true if written. */
function writeNew(path: string, text: string): boolean {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { flag: 'wx' });
    return true;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statOrNull(path)) return false;
    if (code === 'EEXIST' || code === 'ENOTDIR') throw usage(`${dirname(path)} is a file, so ${basename(path)} cannot be made in it.`);
    if (code === 'ENOSPC') throw new BatutaError('STORE_FULL', `The disk is full: ${path} could not be written.`, { cause });
    throw new BatutaError('STORE_READ_ONLY', `${path} cannot be written: ${message}.`, { cause });
  }
}

/** @param toAdd what an existing project has to add, instead of a plain `npm install` */
function nextSteps(dir: string, toAdd: readonly string[]): string[] {
  return [
    ...(dir === '' ? [] : [`cd ${dir.includes(' ') ? `'${dir}'` : dir}`]),
    ...(toAdd.length === 0 ? ['npm install'] : toAdd),
    `${programName()} run flows/hello.ts -p name=Ada`,
    `${programName()} dev`,
  ];
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Prints the settings; secrets are hidden. With `--json` a list of `{ name, env, value, source }`. */
export async function printConfig(context: CommandContext, options: JsonOption): Promise<ExitStatus> {
  const settings = describeConfig(await openSettings(context));
  const { out } = context.terminal;
  if (options.json) return printJson(context.terminal, settings);
  const { paint } = out;
  const rows = settings.map(({ name, env, value, source }) => [
    name,
    value === '' ? paint.dim('unset') : value,
    source === 'default' ? paint.dim(source) : paint.green(source),
    paint.dim(env),
  ]);
  const columns = [{ head: 'setting' }, { head: 'value', max: 60 }, { head: 'from' }, { head: 'variable', drop: 1 }];
  printTable(out, columns, rows);
  return 0;
}
