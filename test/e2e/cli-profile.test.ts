/** `batuta run --profile`, and what the command line says of tasks that run apart. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliProject, makeCliProject } from './cli-project.ts';

const flow = `
import { Flow, Task } from 'batuta';
function burn(): number { let sum = 0; for (const until = Date.now() + 60; Date.now() < until; ) sum += Math.sqrt(sum + 1); return sum; }
@Flow()
export class Burns {
  @Task() async numbers() { burn(); return [1, 2]; }
  @Task({ each: 'numbers', isolate: 'thread', memory: '128 MB' }) async item(n: number) { burn(); return n; }
  @Task({ after: ['item'], trigger: 'allDone', isolate: 'process', memory: '512 MB', profile: true }) async apart() { burn(); throw new Error('after the work'); }
}`;

let project: CliProject;
beforeAll(() => {
  project = makeCliProject({ 'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true } }', 'flows/burns.ts': flow });
});
afterAll(() => project.remove());

interface Frame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}
const framesOf = (path: string): readonly Frame[] =>
  (JSON.parse(readFileSync(path, 'utf8')) as { readonly nodes: readonly { readonly callFrame: Frame }[] }).nodes.map(
    ({ callFrame }) => callFrame,
  );

describe('batuta run --profile', () => {
  it('keeps a profile of the run and of each task apart, also where it fails, with the places of the source, and says where', async () => {
    const { status, stdout, stderr } = await project.batuta('run', 'burns', '--name', 'slow one', '--profile', '--json');
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'slow one' });
    const said = /CPU profile of the run: (\S.*run\.cpuprofile), and beside it 3 of tasks/.exec(stderr)?.[1];
    expect(said).toMatch(/^\.batuta\/profiles\/slow one-[0-9a-f]{8}\/run\.cpuprofile$/);
    const folder = join(project.path, said ?? '', '..');
    expect(readdirSync(folder).toSorted()).toEqual(['apart-1.cpuprofile', 'item.0-1.cpuprofile', 'item.1-1.cpuprofile', 'run.cpuprofile']);
    for (const file of readdirSync(folder)) {
      const burning = framesOf(join(folder, file)).find(({ functionName }) => functionName === 'burn');
      expect([file, burning?.url.endsWith('/flows/burns.ts'), burning?.lineNumber]).toEqual([file, true, 2]);
    }
  });

  it('keeps none without it, but those of tasks that ask for it', async () => {
    const { stderr } = await project.batuta('run', 'burns', '--name', 'other');
    expect(stderr).not.toContain('CPU profile');
    const profiles = join(project.path, '.batuta/profiles');
    expect(existsSync(profiles) ? readdirSync(profiles).filter((name) => name.startsWith('other')) : []).toEqual([]);
    const [run] = JSON.parse((await project.batuta('runs', 'ls', '--json')).stdout) as { readonly id: string }[];
    const listed = JSON.parse((await project.batuta('artifact', 'ls', '--kind', 'file', '--json')).stdout) as {
      readonly runId: string;
      readonly name: string;
    }[];
    expect(listed.filter(({ runId }) => runId === run?.id).map(({ name }) => name)).toEqual(['CPU profile of apart, attempt 1']);
  });
});

it('batuta flow inspect says which tasks run in a thread or process, with how much memory, and which are profiled', async () => {
  const { stdout } = await project.batuta('flow', 'inspect', 'burns');
  expect(stdout).toMatch(/item +each of numbers +own thread, at most 128 MiB\n/);
  expect(stdout).toMatch(/apart +after item +trigger allDone, own process, at most 512 MiB, CPU profile\n/);
});
