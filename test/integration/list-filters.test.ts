/** Filters and options that a call does not have, on the store and over HTTP; and what is said of a server that is not there. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { openHttpClient } from '../../src/client/http/open.ts';
import { openLocalClient } from '../../src/client/open-local-client.ts';
import { startServer } from '../../src/server/start.ts';
import { loadConfig } from '../../src/base/config.ts';
import { openLog } from '../../src/base/log.ts';
import { type Api, openApi } from '../support/api.ts';
import { makeFlow } from '../support/make-flow.ts';
import { startRun } from '../contract/store/rows.ts';

let api: Api;
let remote: Client;
beforeAll(async () => {
  api = await openApi();
  remote = openHttpClient({ apiUrl: await api.listen() });
});
afterAll(async () => {
  await remote.close();
  await api.close();
});

describe.each(['local', 'http'] as const)('an option that a call does not have is refused by name, %s', (which) => {
  const asks: readonly [string, RegExp, (client: Client, runId: string) => Promise<unknown>][] = [
    [
      'enqueue',
      /^A run for workers has no option 'startat'\. Did you mean 'startAt'\?$/,
      (client) => client.enqueue('hello', {}, { startat: Date.now() + 60_000 } as never),
    ],
    ['enqueueMany', /^A run for workers has no option 'delay'/, (client) => client.enqueueMany('hello', [{}, { delay: '1h' } as never])],
    ['requeue', /^requeue has no option 'form'/, (client, runId) => client.runs.requeue(runId, { form: 'one' } as never)],
    ['delete', /^delete has no option 'forced'/, (client, runId) => client.runs.delete(runId, { forced: true } as never)],
    [
      'deleteMany',
      /^A change of many runs has no option 'dryrun'\. Did you mean 'dryRun'\?$/,
      (client) => client.runs.deleteMany({ filter: {}, dryrun: true } as never),
    ],
    [
      'cancelMany',
      /^A change of many runs has no option 'mesage'/,
      (client, runId) => client.runs.cancelMany({ ids: [runId], mesage: 'enough' } as never),
    ],
  ];
  test.each(asks)('of %s', async (_call, message, ask) => {
    const { runId } = await startRun(api.client.engine.services.store);
    const client = which === 'local' ? api.client : remote;
    await expect(ask(client, runId)).rejects.toMatchObject({ code: 'OPTION_UNKNOWN', message: expect.stringMatching(message) });
    expect(await api.client.runs.get(runId)).toMatchObject({ attempt: 1 });
  });
});

test('an option that a run in this process does not have is refused', async () => {
  const asked = api.client.submit(makeFlow({ one: {} }), {}, { startAt: Date.now() + 60_000 } as never);
  await expect(asked).rejects.toMatchObject({
    code: 'OPTION_UNKNOWN',
    message: expect.stringMatching(/^A run in this process has no option 'startAt'/),
  });
});

test('an id that would lead to another route is refused', async () => {
  const name = expect.objectContaining({ code: 'REQUEST_INVALID' });
  // This would ask for /api/workers, which answers.
  await expect(remote.figures.taskWorkers('..')).rejects.toEqual(name);
  for (const id of ['', '.', '..', '\ud800']) await expect(remote.runs.get(id)).rejects.toEqual(name);
});

describe.each(['local', 'http'] as const)('a filter that a list does not have is refused by name, %s', (which) => {
  const asks: readonly [string, (client: Client, filter: never) => Promise<unknown>][] = [
    ['runs', (client, filter) => client.runs.list(filter)],
    ['deployments', (client, filter) => client.deployments.list(filter)],
    ['backfills', (client, filter) => client.backfills.list(filter)],
    ['artifacts', (client, filter) => client.artifacts.list(filter)],
    ['changes', (client, filter) => client.audit.list(filter)],
    ['runs', (client, filter) => client.figures.runs(filter)],
    ['runs', (client, filter) => client.figures.histogram(filter)],
    ['runs', (client, filter) => client.runs.cancelMany({ filter })],
    ['runs', (client, filter) => client.runs.deleteMany({ filter, dryRun: true })],
  ];
  test.each(asks)('of %s', async (list, ask) => {
    const client = which === 'local' ? api.client : remote;
    const refused = async () => await ask(client, { stat: ['Failed'] } as never);
    await expect(refused()).rejects.toMatchObject({
      code: 'FILTER_INVALID',
      message: expect.stringMatching(new RegExp(`^The list of ${list} has no filter 'stat'`)),
    });
    await expect(ask(client, { stat: undefined } as never)).resolves.toBeDefined();
  });

  test('of a state that does not exist, or an instant that is none', async () => {
    const client = which === 'local' ? api.client : remote;
    const asks: readonly [object, RegExp][] = [
      [{ states: ['Faild'] }, /^There is no state 'Faild'\. Did you mean 'Failed'\?$/],
      [{ states: 'Failed' }, /^The filter states is a list/],
      [{ since: 'yesterday' }, /^The filter since is an instant in ms since 1970, such as Date\.now\(\), not "yesterday"\.$/],
      [{ until: Number.NaN }, /^The filter until is an instant/],
    ];
    for (const [filter, message] of asks) {
      const refusal = { code: 'FILTER_INVALID', message: expect.stringMatching(message) };
      await expect(client.runs.list(filter as never)).rejects.toMatchObject(refusal);
      await expect(client.runs.cancelMany({ filter })).rejects.toMatchObject(refusal);
    }
    await expect(client.runs.list(null as never)).rejects.toMatchObject({ code: 'FILTER_INVALID' });
    await expect(client.runs.list({ states: ['failed', 'FAILED/TimedOut'], since: new Date(0) as never })).resolves.toBeDefined();
  });

  test('of task runs and log lines', async () => {
    const client = which === 'local' ? api.client : remote;
    const { runId } = await startRun(api.client.engine.services.store);
    await expect(client.runs.taskRuns(runId, { state: 'Failed' } as never)).rejects.toMatchObject({ code: 'FILTER_INVALID' });
    await expect(client.runs.logs(runId, { level: 'warn' } as never)).rejects.toMatchObject({ code: 'FILTER_INVALID' });
  });

  test('with the name that was meant', async () => {
    const client = which === 'local' ? api.client : remote;
    await expect(client.runs.list({ state: ['Failed'] } as never)).rejects.toMatchObject({
      message: "The list of runs has no filter 'state'. Did you mean 'states'?",
    });
  });
});

test('a server that is not there is told with its address, why, and what to do, also by a stream', async () => {
  const free = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => free.once('listening', done));
  const { port } = free.address() as AddressInfo;
  await new Promise((done) => free.close(done));
  const client = openHttpClient({ apiUrl: `http://127.0.0.1:${port}` });
  const said = expect.stringMatching(
    new RegExp(
      `^The server at http://127\\.0\\.0\\.1:${port} does not answer \\(connection refused: ECONNREFUSED 127\\.0\\.0\\.1:${port}\\)\\. Check BATUTA_API_URL`,
    ),
  );
  const details = { url: `http://127.0.0.1:${port}`, code: 'ECONNREFUSED', address: `127.0.0.1:${port}` };
  await expect(client.runs.list()).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE', message: said, details });
  await client.close();
});

test('a server looks for flows where an absolute path says', async () => {
  const flows = resolve('flows/hello.ts');
  const { config } = await loadConfig({ env: { BATUTA_DATABASE_URL: 'sqlite::memory:', BATUTA_FLOWS: flows, BATUTA_PORT: '0' } });
  const log = await openLog({ level: 'silent', format: 'json' });
  const client = await openLocalClient({ config, log });
  const server = await startServer({ config, log, client });
  try {
    await (await client.submit(makeFlow({ task: {} }, { name: 'ghost' }))).result();
    const refused = await fetch(`${server.url}/api/runs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"flow":"ghost"}',
    });
    expect(await refused.text()).toContain(`it looked in ${flows}. Start`);
  } finally {
    await server.stop(1_000);
    await client.close();
  }
});
