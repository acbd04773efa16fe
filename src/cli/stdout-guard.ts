/**
 * Keeps standard output for this process's own output: what user code or its child processes write there goes to standard error.
 *
 * Node cannot put another file behind descriptor 1, so the ways to it are redirected: children that inherit standard output get
 * standard error instead, and writes to descriptor 1 go to 2. `OutputCapture` takes `process.stdout`. Native code that writes directly
 * is not caught.
 */
import childProcess, { type StdioOptions } from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const stdoutFd = 1;
const stderrFd = 2;

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;
type Owner = Record<string, AnyFunction>;

/** Installs the guard until the process ends. */
export function guardStdout(): void {
  // Every asynchronous way of starting a child passes here, with its options ready.
  const starter = childProcess.ChildProcess.prototype as unknown as Owner;
  wrap(starter, 'spawn', ([options, ...rest]) => [elsewhere(options), ...rest]);
  for (const name of ['spawnSync', 'execFileSync', 'execSync'])
    wrap(childProcess as unknown as Owner, name, (args) => args.map((arg) => elsewhere(arg)));
  for (const name of ['write', 'writeSync', 'writev', 'writevSync'])
    wrap(fs as unknown as Owner, name, ([fd, ...rest]) => [fd === stdoutFd ? stderrFd : fd, ...rest]);
  // Modules that imported them by name get these as well.
  syncBuiltinESMExports();
}

function wrap(owner: Owner, name: string, change: (args: unknown[]) => unknown[]): void {
  const original = owner[name];
  if (original === undefined) return;
  owner[name] = function (...args) {
    return original.apply(this, change(args));
  };
}

/** The options of a child with standard error in place of an inherited standard output. */
function elsewhere(options: unknown): unknown {
  if (!isOptions(options)) return options;
  const { stdio } = options;
  if (stdio === 'inherit') return { ...options, stdio: [0, stderrFd, stderrFd] };
  if (!Array.isArray(stdio)) return options;
  return { ...options, stdio: stdio.map((entry, at) => (leadsToStdout(entry, at) ? stderrFd : entry)) };
}

function leadsToStdout(entry: unknown, at: number): boolean {
  return entry === stdoutFd || entry === process.stdout || (entry === 'inherit' && at === stdoutFd);
}

function isOptions(value: unknown): value is { readonly stdio?: StdioOptions } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
