/** What tasks show and what they reject, by the command line: on the store, and of a server. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeCliProject } from './cli-project.ts';

const flows = `
import { existsSync } from 'node:fs';
import { Flow, Task, type TaskContext } from 'batuta';
import { at } from 'batuta/streams';
@Flow() export class Rates {
  @Task() async work({ artifact }: TaskContext) {
    const more = existsSync('more');
    await artifact.table('rates', [{ code: 'EUR', rate: more ? 2 : 1 }, ...(more ? [{ code: 'USD', rate: 3 }] : [])], { key: 'rates' });
    await artifact.markdown('note', more ? 'a\\nc\\n' : 'a\\nb\\n', { key: 'note' });
  }
  @Task({ isolate: 'thread' }) async apart({ artifact }: TaskContext) {
    await artifact.file('report', (async function* () { for (let n = 0; n < 40; n++) yield Buffer.alloc(10_000, n); })(), { fileName: '../evil.bin', key: 'report' });
    await artifact.file('config', { path: 'tsconfig.json' });
    await artifact.chart('delays', { x: [new Date(0), new Date(1)], series: { a: [1, 2] } }, { key: 'delays' });
    artifact.progress('done', { percent: 50 }, 'half');
    await artifact.image('bad', Buffer.from('no image')).catch((error) => artifact.json('refused', error.code));
  }
}
@Flow() export class Rows {
  @Task() async *rows() { for (let n = 1; n <= 9; n++) yield at(n, { n }); }
  @Task({ needs: ['rows'] }) async sum(rows: AsyncIterable<{ n: number }>, ctx: TaskContext) {
    const taken: number[] = [];
    for await (const { n } of rows) { if (n % 3 === 0 && !existsSync('mended')) ctx.reject({ n }, 'three'); else taken.push(n); }
    return taken;
  }
}`;
const project = makeCliProject({ 'flows/all.ts': flows, 'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true}}' });
afterAll(() => project.remove());
const json = async (...args: string[]) => JSON.parse((await project.batuta(...args, '--json')).stdout);

describe('batuta artifact', () => {
  it('lists, shows, saves and compares what runs have shown, from threads too', async () => {
    await project.batuta('run', 'rates');
    writeFileSync(join(project.path, 'more'), '');
    await project.batuta('run', 'rates');
    const keys = await json('artifact', 'ls', '--keys');
    expect(keys.map(({ key, versions }: { key: string; versions: number }) => [key, versions])).toEqual([
      ['delays', 2],
      ['note', 2],
      ['rates', 2],
      ['report', 2],
    ]);
    const [refused] = await json('artifact', 'ls', '--search', 'refused');
    expect(refused.data).toBe('ARTIFACT_TYPE');
    const { stdout: table } = await project.batuta('artifact', 'compare', '--key', 'rates');
    expect(table.split('\n')).toEqual([
      '1 row added, 0 removed, 1 changed, 0 unchanged; matched by code.',
      "+ { code: 'USD', rate: 3 }",
      '~ EUR: rate 1 → 2',
      '',
    ]);
    expect((await project.batuta('artifact', 'compare', '--key', 'note')).stdout).toContain('- b\n+ c\n');
    const [newest, first] = await json('artifact', 'ls', '--key', 'rates');
    expect((await project.batuta('artifact', 'compare', newest.id.slice(-8))).stdout).toBe(table);
    const without = await project.batuta('artifact', 'compare', first.id);
    expect([without.status, without.stderr]).toEqual([2, expect.stringContaining('is the first version of rates')]);
    const report = await json('artifact', 'get', '--key', 'report');
    expect([report.path, report.bytes, readFileSync(report.path).at(399_999)]).toEqual([join(project.path, 'evil.bin'), 400_000, 39]);
    const again = await project.batuta('artifact', 'get', '--key', 'report');
    expect([again.status, again.stderr]).toEqual([2, expect.stringContaining('--force')]);
    expect((await project.batuta('artifact', 'get', '--key', 'note', '-o', '-')).stdout).toBe('a\nc\n');
    const shown = await project.batuta('artifact', 'show', '--key', 'delays');
    expect(shown.stdout).toMatch(/line chart[\s\S]*1970-01-01T00:00:00.001Z +2/);
    const none = await project.batuta('artifact', 'show', 'ffffffff');
    expect([none.status, none.stderr]).toEqual([1, expect.stringContaining('ARTIFACT_NOT_FOUND')]);
  });
});

describe('batuta runs rejects', () => {
  it('--retry gives the tasks what they had rejected, by a worker; and says so where there is nothing', async () => {
    const rejecting = await json('run', 'rows');
    const { stdout, stderr } = await project.batuta('runs', 'rejects', rejecting.id);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).record.n),
    ).toEqual([3, 6, 9]);
    expect(stderr).toContain('3 rejected\n  3  sum: three');
    writeFileSync(join(project.path, 'mended'), '');
    const worker = project.start('worker');
    await worker.sees('serves default');
    const retried = await json('runs', 'rejects', rejecting.id, '--retry', '--watch');
    worker.child.kill('SIGTERM');
    await worker.finished;
    expect([retried.state.name, retried.result]).toEqual(['Completed', [3, 6, 9]]);
    const nothing = await project.batuta('runs', 'rejects', retried.id, '--retry');
    expect([nothing.status, nothing.stderr]).toEqual([1, expect.stringContaining('REJECTS_MISSING')]);
    const stats = await json('runs', 'inspect', rejecting.id, '--stats');
    expect(JSON.stringify(stats)).toContain('"rejected":3');
  });
});
