import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

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
/** Those that take another database, which they start themselves. */
const onPostgres = ['chain', 'cache', 'fanout', 'deployments', 'full-store'];
const forms = [...names, ...onPostgres.map((name) => `${name} --store postgres`)];

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function bench(...args: string[]): Promise<Ended> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['bench/main.js', ...args], { cwd: root });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Ended;
    return { code, stdout, stderr };
  }
}

describe('npm run bench', () => {
  it.each(forms)(
    '%s works in its quick form and ends with one line of JSON in the common form',
    async (form) => {
      const [name = '', ...store] = form.split(' ');
      const { code, stdout, stderr } = await bench(name, ...store, '--quick', '--json');

      expect(stderr).toBe('');
      expect(code).toBe(0);
      const report = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
      expect(Object.keys(report)).toEqual(['name', 'figures', 'targets', 'ok']);
      expect(report).toMatchObject({ name, ok: true });
      expect(Object.keys(report.figures)).not.toHaveLength(0);
      for (const value of Object.values(report.figures)) expect(value).toEqual(expect.any(Number));
      for (const figure of Object.keys(report.targets)) expect(report.figures).toHaveProperty(figure);
    },
    60_000,
  );

  it('lists what there is when the name is missing or unknown, and says that the usage was wrong', async () => {
    for (const args of [[], ['nothing'], ['chain', '--runs', 'many'], ['chain', '--store', 'paper']]) {
      const { code, stdout, stderr } = await bench(...args);
      expect(code).toBe(2);
      expect(stdout).toBe('');
      for (const name of names) expect(stderr).toContain(name);
    }
  });
});
