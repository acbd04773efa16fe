/**
 * Keeps standard output for what this process itself prints: what user code or a child process of its writes there goes to standard error.
 *
 * Node cannot put another file behind descriptor 1, so the ways to it are led elsewhere: children that inherit standard output get
 * standard error as theirs, and writes to descriptor 1 go to 2. `process.stdout` is taken by `OutputCapture`. Native code that writes by
 * itself is not caught.
 */
import childProcess, { type StdioOptions } from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const stdoutFd = 1;
const stderrFd = 2;

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;
type Owner = Record<string, AnyFunction>;

/** Puts the guard in place, until the process ends. */
export function guardStdout(): void {
  // Each way of starting a child that is waited for by events comes by here, with its options ready.
  const starter = childProcess.ChildProcess.prototype as unknown as Owner;
  wrap(starter, 'spawn', ([options, ...rest]) => [elsewhere(options), ...rest]);
  for (const name of ['spawnSync', 'execFileSync', 'execSync'])
    wrap(childProcess as unknown as Owner, name, (args) => args.map((arg) => elsewhere(arg)));
  for (const name of ['write', 'writeSync', 'writev', 'writevSync'])
    wrap(fs as unknown as Owner, name, ([fd, ...rest]) => [fd === stdoutFd ? stderrFd : fd, ...rest]);
  // Whoever has imported them by name gets these as well.
  syncBuiltinESMExports();
}

function wrap(owner: Owner, name: string, change: (args: unknown[]) => unknown[]): void {
  const original = owner[name];
  if (original === undefined) return;
  owner[name] = function (...args) {
    return original.apply(this, change(args));
  };
}

/** The options of a child with standard error in the place of an inherited standard output. */
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
