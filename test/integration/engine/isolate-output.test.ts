/** What a task in its own process prints, however much and however it ends, is in its log; what a generator yields there is its list. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLog } from '../../../src/base/log.ts';
import type { LocalClient } from '../../../src/client/local-client.ts';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import { loadFlowFile } from '../../../src/define/load.ts';
import { decodeValue } from '../../../src/model/values.ts';
import { makeProject, type ProjectFolder } from '../../support/project-folder.ts';

const flows = `
import { spawnSync } from 'node:child_process';
import { Flow, Task } from 'batuta';
import { at } from 'batuta/streams';
const flood = (count: number) => { for (let n = 0; n < count; n++) process.stdout.write(\`line \${n} \${'x'.repeat(50)}\\n\`); };
@Flow()
export class Returns { @Task({ isolate: 'process' }) prints() { flood(9_000); } }
@Flow()
export class Exits { @Task({ isolate: 'process' }) prints() { flood(9_000); process.exit(3); } }
@Flow()
export class Starts {
  @Task({ isolate: 'process' }) prints() {
    return spawnSync(process.execPath, ['-e', "const fs = require('node:fs'); for (let n = 0; n < 9000; n++) fs.writeSync(1, 'line ' + n + ' ' + 'x'.repeat(50) + String.fromCharCode(10));"], { stdio: 'inherit' }).status;
  }
}
@Flow()
export class Yields {
  @Task({ isolate: 'thread' }) async *inThread() { yield at(1, 'a'); yield 'b'; }
  @Task({ isolate: 'process' }) *inProcess() { yield at(1, 'a'); yield 'b'; }
}`;

describe('in a process', () => {
  let project: ProjectFolder;
  let client: LocalClient;
  beforeAll(async () => {
    project = makeProject({ 'flows.ts': flows, 'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true } }' });
    client = await openLocalClient({
      databaseUrl: 'sqlite::memory:',
      log: await openLog({ level: 'info', format: 'json', write: () => undefined }),
    });
  });
  afterAll(async () => {
    await client.close();
    project.remove();
  });
  const run = async (name: string) => {
    const [found] = (await loadFlowFile(`${project.path}/flows.ts`)).filter(({ definition }) => definition.className === name);
    if (found === undefined) throw new Error(`there is no flow ${name}`);
    const { id } = await client.submit(found.definition);
    return await client.runs.awaitEnd(id);
  };

  test.each([
    ['Returns', 'COMPLETED'],
    ['Exits', 'FAILED'],
    ['Starts', 'COMPLETED'],
  ])('all of 9,000 lines are kept, in order: %s', async (name, state) => {
    const ended = await run(name);
    expect([ended.state.type, ended.error?.message ?? null]).toEqual([
      state,
      state === 'FAILED' ? expect.stringContaining('exit code 3') : null,
    ]);
    const lines = (await client.runs.logs(ended.id, { limit: 10_000 })).flatMap(({ message }) => /^line (\d+)/.exec(message)?.[1] ?? []);
    expect(lines.length).toBe(9_000);
    expect(lines.findIndex((line, at) => line !== String(at))).toBe(-1);
  });

  test('a generator yields a list, without positions', async () => {
    expect(decodeValue((await run('Yields')).result)).toEqual({ inThread: ['a', 'b'], inProcess: ['a', 'b'] });
  });
});
