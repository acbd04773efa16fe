/** Tasks under a rate whose thread or process takes long to start: no window holds more of them. */
import { readFileSync, symlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openLog } from '../../../src/base/log.ts';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import { loadFlowFile } from '../../../src/define/load.ts';
import { makeProject } from '../../support/project-folder.ts';

const perMs = 300;
/** The first guest of each kind takes this long to load the file, ms: longer than its place counts unconfirmed. */
const loadsMs = 1_500;
const flows = `
import { appendFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { Flow, Task } from 'batuta';
const kind = isMainThread ? (process.send ? 'process' : null) : 'thread';
if (kind !== null) {
  let isFirst = true;
  try { writeFileSync('HERE/' + kind, '', { flag: 'wx' }); } catch { isFirst = false; }
  if (isFirst) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${loadsMs});
}
const note = () => appendFileSync('HERE/ledger', Date.now() + '\\n');
@Flow({ rateLimit: { limit: 1, per: ${perMs} } })
export class RunInThread { @Task({ isolate: 'thread' }) step() { note(); } }
@Flow({ rateLimit: { limit: 1, per: ${perMs} } })
export class RunInProcess { @Task({ isolate: 'process' }) step() { note(); } }
@Flow()
export class TaskInThread { @Task({ isolate: 'thread', tags: ['api'] }) step() { note(); } }
@Flow()
export class TaskInProcess { @Task({ isolate: 'process', tags: ['api'] }) step() { note(); } }
`;

test.each(['RunInThread', 'RunInProcess', 'TaskInThread', 'TaskInProcess'])(
  'no window holds more starts than its rate allows: %s',
  { timeout: 60_000 },
  async (className) => {
    const project = makeProject({ 'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true } }' });
    onTestFinished(() => project.remove());
    project.write('flows.ts', flows.replaceAll('HERE', project.path));
    symlinkSync(resolve('node_modules/zod'), `${project.path}/node_modules/zod`);
    const log = await openLog({ level: 'warn', format: 'json', write: () => undefined });
    const client = await openLocalClient({ databaseUrl: 'sqlite::memory:', log });
    onTestFinished(() => client.close());
    await client.limits.setRate('tag:api', { limit: 1, per: perMs });
    const loaded = (await loadFlowFile(`${project.path}/flows.ts`)).find(({ definition }) => definition.className === className);
    if (!loaded) throw new Error(`No flow ${className}.`);
    const handles = await Promise.all(Array.from({ length: 5 }, () => client.submit(loaded.flowClass, {})));
    for (const handle of handles) expect((await handle.done()).state).toMatchObject({ name: 'Completed' });
    const begun = readFileSync(`${project.path}/ledger`, 'utf8').trim().split('\n').map(Number);
    expect(begun).toHaveLength(5);
    const gaps = begun.slice(1).map((at, place) => at - (begun[place] ?? 0));
    expect(gaps.filter((ms) => ms < perMs)).toEqual([]);
  },
);
