/**
 * `npm run chaos [-- VITEST_ARGUMENTS]`: the long forms of the tests that break things, one file after another; about half an hour.
 *
 * `CHAOS_SEED` repeats what an earlier run has printed, `CHAOS_RUNS` and `CHAOS_SECONDS` change how much is submitted and for how
 * long it is in trouble.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const long = {
  ARTIFACT_BYTES: String(1024 ** 3),
  CHAOS_RUNS: '500',
  CHAOS_SECONDS: '60',
  CRASH_ROUNDS: '20',
  EFFECT_ROUNDS: '250',
  RATE_PER_SECOND: '100',
  REPORT_AWAY_MS: '600000',
  REPORT_DEATHS: '10',
  STREAM_DEATHS: '10',
  STREAM_RECORDS: '5000000',
};

const { status } = spawnSync(process.execPath, [vitest, 'run', '--project', 'chaos', '--no-file-parallelism', ...process.argv.slice(2)], {
  cwd: root,
  env: { ...long, ...process.env },
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
