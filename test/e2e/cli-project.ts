/** A user's project with Batuta installed, and the built command line run in it as a user would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeProject, type ProjectFolder } from '../support/project-folder.ts';

/** What a finished command left. */
export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that may still go on. */
export interface Started {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves once both outputs together hold the text; rejects when the command ends without it. */
  sees(text: string): Promise<void>;
  /** Both outputs so far. */
  output(): string;
}

export interface CliProject extends ProjectFolder {
  /** Runs a command to its end. */
  batuta(...args: string[]): Promise<Finished>;
  /** Runs a command with further variables to its end. */
  batutaWith(env: Readonly<Record<string, string>>, ...args: string[]): Promise<Finished>;
  /** Runs a program of the user's to its end. */
  node(file: string): Promise<Finished>;
  /** Starts a program of the user's with further variables. */
  startNode(file: string, env?: Readonly<Record<string, string>>): Started;
  /** Starts a command. */
  start(...args: string[]): Started;
  /** Starts a command whose outputs both come as standard output, in the order in which they are written. */
  startJoined(...args: string[]): Started;
  /** Starts a command with further variables. */
  startWith(env: Readonly<Record<string, string>>, ...args: string[]): Started;
}

const root = resolve(import.meta.dirname, '../..');
const main = join(root, 'dist/cli/main.js');

/** Makes a project with these files; `batuta` and `zod` are installed by a link. */
export function makeCliProject(files: Readonly<Record<string, string>> = {}): CliProject {
  const project = makeProject(files);
  symlinkSync(root, join(project.path, 'node_modules/batuta'));
  symlinkSync(join(root, 'node_modules/zod'), join(project.path, 'node_modules/zod'));
  const startWith = (env: Readonly<Record<string, string>>, args: readonly string[]): Started => start(project.path, env, [main, ...args]);
  return {
    ...project,
    batuta: (...args) => startWith({}, args).finished,
    batutaWith: (env, ...args) => startWith(env, args).finished,
    node: (file) => start(project.path, {}, [file]).finished,
    startNode: (file, env = {}) => start(project.path, env, [file]),
    start: (...args) => startWith({}, args),
    startJoined: (...args) => start(project.path, {}, ['-c', 'exec "$0" "$@" 2>&1', process.execPath, main, ...args], 'bash'),
    startWith: (env, ...args) => startWith(env, args),
  };
}

function start(cwd: string, env: Readonly<Record<string, string>>, args: readonly string[], command = process.execPath): Started {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(command, args, {
    cwd,
    env: { PATH, HOME, TZ: 'UTC', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    for (const listener of listeners) listener();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    for (const listener of listeners) listener();
  });
  const finished = new Promise<Finished>((resolve) => child.once('close', (status) => resolve({ status, stdout, stderr })));
  const sees = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (`${stdout}\n${stderr}`.includes(text)) resolve();
      };
      listeners.add(look);
      void finished.then(() => reject(new Error(`The command ended without saying ${text}:\n${stdout}${stderr}`)));
      look();
    });
  return { child, finished, sees, output: () => `${stdout}\n${stderr}` };
}
