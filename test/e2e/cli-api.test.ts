/** The command line over the API beside the command line on the store: on the same runs both print the same. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chatty, failing, mapped, strict, waiting } from './cli-flows.ts';
import { type Finished, makeCliProject, type Started } from './cli-project.ts';

const project = makeCliProject({
  'flows/chatty.ts': chatty,
  'flows/failing.ts': failing,
  'flows/mapped.ts': mapped,
  'flows/strict.ts': strict,
  'flows/waiting.ts': waiting,
});
let dev: Started;
let url = '';
const ids: Record<string, string> = {};

beforeAll(async () => {
  dev = project.start('dev', '--port', '0');
  await dev.sees('Ctrl-C ends it');
  url = /http:\/\/127\.0\.0\.1:\d+/.exec(dev.output())?.[0] ?? '';
  for (const [flow, ...args] of [
    ['chatty', '--tag', 'blue'],
    ['mapped'],
    ['failing'],
    ['strict', '-p', 'month=01', '-p', 'limit=3'],
  ] as const) {
    const { stdout } = await project.batuta('runs', 'submit', flow, ...args, '--name', `a-${flow}`, '--watch', '--json');
    ids[flow] = (JSON.parse(stdout) as { id: string }).id;
  }
  await project.batuta('deploy', 'chatty', '--cron', '0 4 * * *', '--name', 'daily', '--paused');
  await project.batuta('limit', 'set', 'tag:db', '3');
});
afterAll(async () => {
  dev.child.kill('SIGKILL');
  await dev.finished;
  project.remove();
});

function overApi(...args: string[]): Promise<Finished> {
  return project.batutaWith({ BATUTA_API_URL: url }, ...args);
}

/** Without what the moment of asking decides, which is also how wide a column is. */
function timeless({ status, stdout, stderr }: Finished): object {
  const plain = (text: string): string => text.replace(/just now|(in )?\d+ (s|min|h)( ago)?/g, 'TIME').replace(/ +/g, ' ');
  return { status, stdout: plain(stdout), stderr: plain(stderr) };
}

describe('over the API', () => {
  it.each([
    [['runs', 'ls']],
    [['runs', 'ls', '--json']],
    [['runs', 'ls', '--state', 'failed', '--json']],
    [['runs', 'ls', '--tag', 'blue', '--since', '1h']],
    [['runs', 'ls', '--flow', 'none-such']],
    [['runs', 'ls', '--limit', '2']],
    [['runs', 'inspect', 'ID:chatty']],
    [['runs', 'inspect', 'ID:chatty', '--json']],
    [['runs', 'inspect', 'ID:failing']],
    [['runs', 'inspect', 'ID:mapped']],
    [['runs', 'inspect', 'ffffffff']],
    [['runs', 'logs', 'ID:chatty']],
    [['runs', 'logs', 'ID:chatty', '--json', '--level', 'warn']],
    [['runs', 'logs', 'ID:failing', '--task', 'good']],
    [['runs', 'logs', 'ID:failing', '--task', 'god']],
    [['runs', 'logs', 'ID:mapped', '--tail', '2', '--follow']],
    [['runs', 'watch', 'ID:failing', '--json']],
    [['runs', 'cancel', 'ID:mapped']],
    [['runs', 'cancel', 'ID:mapped', 'ffffffff', '--json']],
    [['runs', 'resume', 'ID:mapped']],
    [['runs', 'signal', 'ID:mapped', 'answer']],
    [['runs', 'submit', 'strict', '-p', 'month=01', '-p', 'limit=x']],
    [['runs', 'submit', 'chatty', '--queue', 'no queue']],
    [['deploy', 'chatty', '--name', 'daily', '--cron', '0 4 * * *', '--dry-run']],
    [['deploy', 'chatty', '--cron', '99 * * * *']],
    [['deployment', 'ls']],
    [['deployment', 'ls', '--json']],
    [['deployment', 'inspect', 'daily']],
    [['deployment', 'inspect', 'dayly']],
    [['deployment', 'versions', 'daily']],
    [['backfill', 'ls']],
    [['limit', 'ls']],
    [['limit', 'ls', '--json']],
    [['key', 'ls']],
  ])('%j prints what it prints on the store', async (given) => {
    const args = given.map((arg) => (arg.startsWith('ID:') ? (ids[arg.slice(3)] ?? '') : arg));
    const [near, far] = await Promise.all([project.batuta(...args), overApi(...args)]);
    expect(timeless(far)).toEqual(timeless(near));
  });

  it.each([
    [['flow', 'ls']],
    [['flow', 'ls', '--json']],
    [['flow', 'inspect', 'mapped']],
    [['flow', 'inspect', 'strict', '--json']],
    [['flow', 'inspect', 'Chatty']],
    [['flow', 'graph', 'failing']],
    [['flow', 'graph', 'mapped', '--format', 'mermaid']],
    [['flow', 'graph', 'mapped', '--json']],
  ])('%j prints what it prints of the files here', async (args) => {
    const [near, far] = await Promise.all([project.batuta(...args), overApi(...args)]);
    // A file may print as it is loaded, which no server lets it.
    expect([far.status, far.stderr, far.stdout]).toEqual([0, near.stderr.replace('printed while it loads\n', ''), near.stdout]);
  });

  it('workers are listed', async () => {
    const names = ({ stdout }: Finished): unknown[] =>
      (JSON.parse(stdout) as { name: string; alive: boolean }[]).map(({ name, alive }) => [name, alive]);
    expect(names(await overApi('worker', 'ls', '--json'))).toEqual(names(await project.batuta('worker', 'ls', '--json')));
  });

  it('a run is submitted, watched, cancelled and deleted', async () => {
    const submitted = await overApi('runs', 'submit', 'waiting', '--json');
    expect(submitted.status).toBe(0);
    const { id } = JSON.parse(submitted.stdout) as { id: string };
    const watching = project.start('--verbose', 'runs', 'watch', id);
    const { status } = await overApi('runs', 'cancel', id, '--message', 'not needed');
    expect(status).toBe(0);
    expect((await watching.finished).status).toBe(1);
    expect(JSON.parse((await overApi('runs', 'ls', '--flow', 'waiting', '--json')).stdout)).toMatchObject([
      { id, state: { type: 'CANCELLED', message: 'not needed' } },
    ]);
    expect((await overApi('runs', 'delete', id)).stdout).toMatch(new RegExp(`^deleted waiting .* ${id}\\n$`));
  });

  it('parameters that are texts reach a flow whose file is not here', async () => {
    const elsewhere = makeCliProject();
    try {
      const far = await elsewhere.batutaWith(
        { BATUTA_API_URL: url },
        ...['runs', 'submit', 'strict', '-p', 'month=12', '-p', 'limit=3', '-p', 'days=[1,2]', '--watch', '--json'],
      );
      expect(JSON.parse(far.stdout)).toMatchObject({ result: { month: '12', limit: 3, days: [1, 2], dry: false } });
    } finally {
      elsewhere.remove();
    }
  });

  it('retry hands the run to the workers and says so', async () => {
    writeFileSync(join(project.path, 'mended'), '');
    const { status, stdout, stderr } = await overApi('runs', 'retry', ids['failing'] ?? '', '--json');
    expect(stderr).toContain(`The workers of ${url} continue`);
    expect([status, JSON.parse(stdout)]).toMatchObject([0, { id: ids['failing'], result: 2 }]);
    const again = await overApi('runs', 'retry', ids['failing'] ?? '');
    expect([again.status, again.stderr.includes('error RUN_STATE_REFUSED: ')]).toEqual([2, true]);
  });

  it('a database named on the command line is nearer than the server', async () => {
    const { stdout } = await project.batutaWith({ BATUTA_API_URL: url }, '--database-url', 'sqlite:other.db', 'runs', 'ls', '--json');
    expect(JSON.parse(stdout)).toEqual([]);
  });

  it('reports a server that is not there, and an invalid key, in one line each', async () => {
    const gone = await project.batutaWith({ BATUTA_API_URL: 'http://127.0.0.1:9' }, 'runs', 'ls');
    expect([gone.status, gone.stdout]).toEqual([1, '']);
    expect(gone.stderr).toMatch(/^error SERVER_UNREACHABLE: The server at http:\/\/127\.0\.0\.1:9 does not answer .*BATUTA_API_URL.*\n$/);
    const refused = await project.batutaWith({ BATUTA_API_URL: url, BATUTA_API_KEY: 'wrong' }, 'runs', 'ls');
    expect([refused.status, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toMatch(/^error UNAUTHENTICATED: .*BATUTA_API_KEY.*\n$/);
  });
});
