/** What all benchmarks share: medians, processes of their own, folders of their own. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * The middle value; of an even number, the mean of the two in the middle.
 *
 * @param {readonly number[]} values at least one
 */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Calls `measureOnce` first `warmups` times without counting, then `times` times.
 *
 * @template T
 * @param {{ times: number, warmups?: number }} counts
 * @param {(round: number) => Promise<T>} measureOnce
 * @returns {Promise<T[]>} what the counted calls gave, in order
 */
export async function repeat({ times, warmups = 0 }, measureOnce) {
  const samples = [];
  for (let round = 0; round < warmups + times; round++) {
    const sample = await measureOnce(round);
    if (round >= warmups) samples.push(sample);
  }
  return samples;
}

/**
 * Medians of samples that are objects of numbers, name by name.
 *
 * @template {Record<string, number>} T
 * @param {readonly T[]} samples
 * @returns {T}
 */
export function medians(samples) {
  const names = Object.keys(samples[0]);
  return /** @type {T} */ (Object.fromEntries(names.map((name) => [name, median(samples.map((sample) => sample[name]))])));
}

/**
 * Calls `use` with a new folder, and removes the folder whatever comes of it.
 *
 * @template T
 * @param {(folder: string) => Promise<T>} use
 */
export async function inFolder(use) {
  const folder = await mkdtemp(join(tmpdir(), 'batuta-bench-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Milliseconds from the start of a process to its end, and what it printed.
 *
 * @param {readonly string[]} args for Node
 * @param {{ cwd?: string, env?: Record<string, string> }} [options]
 * @throws {Error} when it ends with anything but 0, with what it wrote to stderr
 */
export async function runProcess(args, { cwd = root, env = {} } = {}) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...end) => resolve(end));
  });
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with ${code ?? signal}:\n${stderr.slice(-4_000)}`);
  return { ms: performance.now() - startedAt, stdout, stderr };
}

/**
 * Runs a file of this folder in a process of its own and gives the object that it printed as its last line.
 *
 * @param {string} file
 * @param {object} input reaches the file as its first argument, JSON
 */
export async function inOwnProcess(file, input) {
  const { stdout } = await runProcess([join(root, 'bench', file), JSON.stringify(input)]);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}

/** Largest resident memory of this process so far, in MB of 10^6 bytes. */
export function peakMemoryMb() {
  return (process.resourceUsage().maxRSS * 1024) / 1e6;
}
