/** A process that has no file descriptor left: what its tasks need of them fails by name, and all else goes on. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageFolder } from '../../../src/base/installed.ts';
import { ownProject } from '../../support/flow-files.ts';

const program = `
import { closeSync, openSync } from 'node:fs';
import { Flow, Task } from 'batuta';
import { openClient } from 'batuta/client';
async function work() {
  for (const until = performance.now() + 10; performance.now() < until; );
  await new Promise((resolve) => setTimeout(resolve, 10));
  for (const until = performance.now() + 10; performance.now() < until; );
}
export class Apart { async a() { return 'apart'; } }
Task({ isolate: 'process' })(Apart.prototype, 'a', Object.getOwnPropertyDescriptor(Apart.prototype, 'a'));
Flow()(Apart);
export class Here { async a() { await work(); return 'here'; } b() { for (const until = performance.now() + 20; performance.now() < until; ); return 'at once'; } }
for (const name of ['a', 'b']) Task()(Here.prototype, name, Object.getOwnPropertyDescriptor(Here.prototype, name));
Flow()(Here);

const client = await openClient({ databaseUrl: 'sqlite::memory:' });
async function outcomes(flow) {
  const handle = await client.submit(flow);
  await handle.done();
  const { taskRuns } = await client.runs.inspect(handle.id);
  return taskRuns.map(({ state, error }) => error?.message ?? state.type).sort();
}
const all = [await outcomes(Apart), await outcomes(Here)];
const held = [];
try { for (;;) held.push(openSync('/dev/null')); } catch {}
all.push(await outcomes(Apart), await outcomes(Here));
held.forEach((fd) => closeSync(fd));
all.push(await outcomes(Apart));
await client.close();
console.log(JSON.stringify(all));
`;

test('a task whose process cannot be started fails, and tasks that need none go on without their figures', () => {
  const { path, write } = ownProject();
  mkdirSync(join(path, 'node_modules'), { recursive: true });
  symlinkSync(packageFolder(), join(path, 'node_modules/batuta'));
  const file = write('main.mjs', program);
  const env = { ...process.env, BATUTA_LOG_LEVEL: 'silent' };
  const { status, stdout, stderr } = spawnSync('sh', ['-c', `ulimit -n 200; exec "${process.execPath}" "${file}"`], {
    ...{ cwd: path, env, encoding: 'utf8', timeout: 60_000 },
  });
  expect([status, stderr]).toEqual([0, '']);
  const refused = expect.stringMatching(/ended before the task did: before it had begun: spawn .* EMFILE/);
  const fine = ['COMPLETED', 'COMPLETED'];
  expect(JSON.parse(stdout)).toEqual([['COMPLETED'], fine, [refused], fine, ['COMPLETED']]);
}, 60_000);
