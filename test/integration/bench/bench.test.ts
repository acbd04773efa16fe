import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createDatabase } from '../../support/postgres.ts';

const root = join(import.meta.dirname, '../../..');
const names = [
  'chain',
  'cache',
  'fanout',
  'light40',
  'long10',
  'latency',
  'throughput',
  'recovery',
  'idle',
  'observed',
  'spread',
  'steps',
  'streams',
  'startup',
  'ticks',
  'deployments',
  'burst',
  'full-store',
  'two-processes',
];
/** Those that take another database. */
const onPostgres = ['chain', 'cache', 'fanout', 'deployments', 'full-store'];
const forms = [...names, ...onPostgres.map((name) => `${name} --store postgres`)];
/** These start the servers they need; the others are given a database on the one of the tests. */
const withServersOfTheirOwn = ['latency', 'chain --store postgres'];
/** These wait for most of their time, so they do it together: for leases that end, for ticks, for nothing to happen. */
const waiting = ['recovery', 'ticks', 'idle', 'burst'];

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function bench(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  try {
    const options = { cwd: root, env: { ...process.env, ...env } };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['bench/main.js', ...args], options);
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Ended;
    return { code, stdout, stderr };
  }
}

async function expectReport(form: string, cleanUp: (drop: () => Promise<void>) => void): Promise<void> {
  const [name = '', ...store] = form.split(' ');
  const database = withServersOfTheirOwn.includes(form) ? null : await createDatabase();
  if (database) cleanUp(() => database.drop());
  const env = database ? { BATUTA_BENCH_POSTGRES_URL: database.url } : {};
  const { code, stdout, stderr } = await bench([name, ...store, '--quick', '--json'], env);

  expect(stderr).toBe('');
  expect(code).toBe(0);
  const report = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  expect(Object.keys(report)).toEqual(['name', 'figures', 'targets', 'ok']);
  expect(report).toMatchObject({ name, ok: true });
  expect(Object.keys(report.figures)).not.toHaveLength(0);
  for (const value of Object.values(report.figures)) expect(value).toEqual(expect.any(Number));
  for (const figure of Object.keys(report.targets)) expect(report.figures).toHaveProperty(figure);
}

describe('npm run bench', () => {
  const title = '%s works in its quick form and ends with one line of JSON in the common form';
  it.concurrent.for(waiting)(title, { timeout: 120_000 }, (form, { onTestFinished }) => expectReport(form, onTestFinished));

  it.for(forms.filter((form) => !waiting.includes(form)))(title, { timeout: 120_000 }, (form, { onTestFinished }) =>
    expectReport(form, onTestFinished),
  );

  it('lists what there is when the name is missing or unknown, and says that the usage was wrong', async () => {
    for (const args of [[], ['nothing'], ['chain', '--runs', 'many'], ['chain', '--store', 'paper']]) {
      const { code, stdout, stderr } = await bench(args);
      expect(code).toBe(2);
      expect(stdout).toBe('');
      for (const name of names) expect(stderr).toContain(name);
    }
  });
});
