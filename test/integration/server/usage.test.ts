/** CPU time and peak memory of tasks, on both databases, as the client at hand and the one over HTTP have them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openHttpClient } from '../../../src/client/http/open.ts';
import type { Client } from '../../../src/client/client.ts';
import { loadFlowFile } from '../../../src/define/load.ts';
import { type Api, openApi } from '../../support/api.ts';
import { createDatabase } from '../../support/postgres.ts';
import { makeProject, type ProjectFolder } from '../../support/project-folder.ts';

/** So much work that it takes some CPU time wherever it is done, and memory that can be seen. */
const flow = `
import { Flow, Task } from 'batuta';
function burn(): number { let sum = 0; for (let at = 0; at < 60_000_000; at++) sum += Math.sqrt(at); return sum; }
@Flow()
export class Uses {
  @Task() here() { return burn() > 0; }
  @Task({ isolate: 'thread', after: ['here'] }) thread() { const kept = Buffer.alloc(64 * 1024 * 1024, 1); return burn() > kept.length; }
  @Task({ isolate: 'process', after: ['thread'] }) process() { const kept = Buffer.alloc(64 * 1024 * 1024, 1); return burn() > kept.length; }
  @Task({ after: ['process'] }) nothing() { return 1; }
}`;
const mib = 1024 * 1024;

describe.each(['sqlite', 'postgres'])('on %s', (on) => {
  let api: Api;
  let http: Client;
  let project: ProjectFolder;
  let drop = async (): Promise<unknown> => undefined;
  beforeAll(async () => {
    project = makeProject({ 'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true } }', 'uses.ts': flow });
    const database = on === 'postgres' ? await createDatabase() : null;
    drop = async () => database?.drop();
    api = await openApi({ flows: project.path, ...(database === null ? {} : { databaseUrl: database.url }) });
    http = openHttpClient({ apiUrl: await api.listen() });
  }, 60_000);
  afterAll(async () => {
    await http.close();
    await api.close();
    await drop();
    project.remove();
  });

  test('what each task has used is recorded, and the same wherever it is asked for', async () => {
    const [loaded] = await loadFlowFile(`${project.path}/uses.ts`);
    if (!loaded) throw new Error('There is no flow.');
    const handle = await api.client.submit(loaded.flowClass, {});
    await handle.done();
    const [near, far] = await Promise.all([api.client.runs.inspect(handle.id), http.runs.inspect(handle.id)]);
    const usage = ({ taskRuns }: typeof near) =>
      taskRuns.map(({ name, cpuMs = null, peakBytes = null, usageScope = null }) => ({ name, cpuMs, peakBytes, usageScope }));
    expect(usage(far)).toEqual(usage(near));
    const [here, thread, process, nothing] = usage(near);
    for (const used of [here, thread, process]) expect(used?.cpuMs, used?.name).toBeGreaterThan(20);
    expect([here, thread, process].map((used) => used?.usageScope)).toEqual(['shared', 'thread', 'process']);
    for (const used of [thread, process]) expect(used?.peakBytes, used?.name).toBeGreaterThan(64 * mib);
    expect(here?.peakBytes).toBeGreaterThan(0);
    expect(nothing?.cpuMs ?? 0).toBeLessThan(thread?.cpuMs ?? 0);

    const { json } = await api.get(`/api/runs/${handle.id}/tasks?limit=100`);
    const items = json.items as readonly { readonly name: string; readonly cpuMs?: number | null }[];
    expect(items.map(({ name, cpuMs = null }) => [name, cpuMs])).toEqual(usage(near).map(({ name, cpuMs }) => [name, cpuMs]));
    const { text } = await api.get('/api/flows/uses');
    expect(text).toContain(`"peakBytes":${process?.peakBytes}`);
  });
});
