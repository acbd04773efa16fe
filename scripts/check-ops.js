/**
 * `npm run check:ops`: holds what is in `ops/` and what a server exposes to promtool, which comes with Prometheus (Debian: `prometheus`).
 *
 * Rules are checked and their tests run; the metrics of a server that was built (`npm run build` first) are checked as Prometheus reads them.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../ops/prometheus', import.meta.url));

process.exitCode = await main();

/** @returns {Promise<number>} exit status: 0 fine, 1 something is wrong, or promtool is not to be had */
async function main() {
  if (!hasPromtool()) {
    console.error('promtool is not on the PATH and could not be installed. It comes with Prometheus: apt-get install prometheus.');
    return 1;
  }
  const metrics = await readMetrics();
  const checks = [
    promtool(['check', 'rules', 'alerts.yml']),
    promtool(['test', 'rules', 'alerts.test.yml']),
    promtool(['check', 'metrics'], metrics),
  ];
  return checks.every(Boolean) ? 0 : 1;
}

function hasPromtool() {
  if (spawnSync('promtool', ['--version']).status === 0) return true;
  if (process.getuid?.() !== 0) return false;
  spawnSync('apt-get', ['update'], { stdio: 'ignore' });
  spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'prometheus'], { stdio: 'ignore' });
  return spawnSync('promtool', ['--version']).status === 0;
}

function promtool(args, input = '') {
  console.log(`promtool ${args.join(' ')}`);
  return spawnSync('promtool', args, { cwd: folder, input, stdio: ['pipe', 'inherit', 'inherit'] }).status === 0;
}

/** Of a server and a worker in one process that has executed nothing. */
async function readMetrics() {
  const { serve } = await import('batuta/process');
  const place = mkdtempSync(join(tmpdir(), 'batuta-ops-'));
  const settings = { databaseUrl: `sqlite:${join(place, 'batuta.db')}`, results: join(place, 'results'), port: 0, logLevel: 'error' };
  const running = await serve([], { settings, signals: false });
  try {
    return await (await fetch(`${running.url}/metrics`)).text();
  } finally {
    await running.stop({ graceMs: 0 });
    rmSync(place, { recursive: true, force: true });
  }
}
