/** Profiles that tasks keep: in the thread of their run, in a thread and in a process. */
import { Session } from 'node:inspector/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openLog } from '../../../src/base/log.ts';
import type { LocalClient } from '../../../src/client/local-client.ts';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import { loadFlowFile } from '../../../src/define/load.ts';
import { makeProject, type ProjectFolder } from '../../support/project-folder.ts';

const flow = `
import { Flow, Task } from 'batuta';
function burnInHere() { let sum = 0; for (const until = Date.now() + 60; Date.now() < until; ) sum += Math.sqrt(sum + 1); return sum; }
@Flow()
export class Burns {
  @Task({ profile: true }) here() { return burnInHere() > 0; }
  @Task({ profile: true, isolate: 'thread' }) thread() { burnInHere(); throw new Error('after the work'); }
  @Task({ profile: true, isolate: 'process' }) process() { return burnInHere() > 0; }
  @Task() without() { return 1; }
}
@Flow()
export class Hangs {
  @Task({ profile: true, timeout: '100ms' }) forEver() { return new Promise(() => undefined); }
}
`;

let project: ProjectFolder;
let client: LocalClient;
beforeAll(async () => {
  project = makeProject({ 'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true } }', 'burns.ts': flow });
  const log = await openLog({ level: 'silent', format: 'json' });
  client = await openLocalClient({ databaseUrl: 'sqlite::memory:', results: `${project.path}/results`, log });
});
afterAll(async () => {
  await client.close();
  project.remove();
});

test('a task with a profile keeps what its code spent its time in, wherever it executes and also when it fails; others keep none', async () => {
  const [loaded] = await loadFlowFile(`${project.path}/burns.ts`);
  if (!loaded) throw new Error('There is no flow.');
  const handle = await client.submit(loaded.flowClass, {});
  await handle.done();
  const { artifacts, taskRuns } = await client.runs.inspect(handle.id);
  const nameOf = new Map(taskRuns.map(({ id, name }) => [id, name]));
  const files = artifacts.filter(({ kind }) => kind === 'file');
  expect(files.map(({ taskRunId }) => nameOf.get(taskRunId ?? '')).sort()).toEqual(['here', 'process', 'thread']);
  for (const { id } of files) {
    const burning = framesIn(await contentOf(id)).filter(({ functionName }) => functionName === 'burnInHere');
    // In the user's own file, not in the module that was made of it.
    expect(burning.map(({ url, lineNumber }) => [url, lineNumber])).toEqual(
      burning.map(() => [pathToFileURL(`${project.path}/burns.ts`).href, 2]),
    );
    expect(burning.length).toBeGreaterThan(0);
  }
  const heaps = artifacts.filter(({ kind }) => kind === 'json');
  expect(heaps).toHaveLength(3);
  for (const { data } of heaps)
    expect(data).toMatchObject({ before: { usedBytes: expect.any(Number) }, after: { limitBytes: expect.any(Number) } });
});

test('a task that is ended by its timeout keeps no profile, and none is taken any longer', async () => {
  const hangs = (await loadFlowFile(`${project.path}/burns.ts`)).find(({ definition }) => definition.className === 'Hangs');
  if (!hangs) throw new Error('There is no flow.');
  const post = vi.spyOn(Session.prototype, 'post');
  const left = vi.spyOn(Session.prototype, 'disconnect');
  try {
    const handle = await client.submit(hangs.flowClass, {});
    await handle.done();
    await expect.poll(() => left.mock.calls.length).toBe(1);
    expect(post.mock.calls.map(([method]) => method)).toEqual(['Profiler.enable', 'Profiler.start', 'Profiler.stop']);
    const { artifacts, taskRuns } = await client.runs.inspect(handle.id);
    expect([taskRuns[0]?.error?.code, artifacts]).toEqual(['TASK_TIMED_OUT', []]);
  } finally {
    post.mockRestore();
    left.mockRestore();
  }
});

async function contentOf(id: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of (await client.artifacts.content(id)).pieces) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

function framesIn(text: string): readonly CallFrame[] {
  const { nodes } = JSON.parse(text) as { readonly nodes: readonly { readonly callFrame: CallFrame }[] };
  return nodes.map(({ callFrame }) => callFrame);
}
