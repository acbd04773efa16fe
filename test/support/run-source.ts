/** Runs a piece of TypeScript that imports from `src` in a process of its own, for promises only a real process can keep. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, 'node_modules', '.cache');

/** A compiled piece of code; start it as often as needed, remove it at the end. */
export interface Program {
  readonly path: string;
  remove(): void;
}

/** Compiles code whose imports are relative to the root of the repository, e.g. `./src/base/log.ts`. Packages stay outside. */
export async function compileProgram(code: string): Promise<Program> {
  mkdirSync(cache, { recursive: true });
  // Inside node_modules, so that the packages it names are found.
  const folder = mkdtempSync(join(cache, 'batuta-test-'));
  const path = join(folder, 'program.mjs');
  await build({
    stdin: { contents: code, resolveDir: root, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    outfile: path,
    logLevel: 'silent',
  });
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** How a process ended and what it printed. */
export interface Outcome {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process under way. `printed` resolves once the text has appeared on its standard output. */
export interface Started {
  readonly child: ChildProcess;
  printed(text: string): Promise<void>;
  readonly ended: Promise<Outcome>;
}

/** @param nodeOptions flags of Node's own, before the program */
export function startProgram(program: Program, args: readonly string[] = [], nodeOptions: readonly string[] = []): Started {
  const child = spawn(process.execPath, [...nodeOptions, program.path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (output.stderr += text));
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve({ status, signal, ...output }));
  });
  return {
    child,
    ended,
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (output.stdout.includes(text)) resolve();
        };
        child.stdout.on('data', look);
        child.once('close', () => reject(new Error(`ended before it printed ${text}: ${output.stdout}${output.stderr}`)));
        look();
      }),
  };
}
