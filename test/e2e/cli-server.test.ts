/** `batuta server` and `batuta key` as processes. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStream } from '../support/events.ts';
import { type Fleet, makeFleet, type Member } from '../support/fleet.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await makeFleet({ on: 'sqlite', env: { BATUTA_PORT: '0' } });
});
afterAll(() => fleet.stop());

function urlOf(member: Member): string {
  return /Server at (http:\/\/[^ "]+)/.exec(member.log())?.[1] ?? '';
}

test('a server prints its address, streams a run live, and on SIGTERM ends its streams and itself with status 0', async () => {
  const server = await fleet.start('server');
  const url = urlOf(server);
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
  await fleet.start('worker');
  const stream = await openStream(`${url}/api/events`);
  await stream.until(({ type }) => type === 'hello');
  const submitted = await fetch(`${url}/api/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ flow: 'ledger-run', params: fleet.params() }),
  });
  const run = (await submitted.json()) as { id: string };
  expect([submitted.status, run]).toEqual([201, expect.objectContaining({ flow: 'ledger-run' })]);
  await stream.until(({ type, json }) => type === 'run' && json.id === run.id && json.state.name === 'Completed');
  const names = stream.events.filter(({ type, json }) => type === 'run' && json.id === run.id).map(({ json }) => json.state.name);
  expect(names.at(0)).toBe('Scheduled');
  expect(await server.end('SIGTERM')).toBe(0);
  await expect.poll(() => stream.ended).toBe(true);
  expect(server.log()).not.toMatch(/"level":[456]0/);
});

test('a port that is taken, an address that is not here and a bad port are one clear sentence each, and status 2', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const refused = await fleet.run('server', '--port', String(port));
  expect([refused.status, refused.err.trim().split('\n')]).toEqual([2, [expect.stringContaining(`Port ${port} of 127.0.0.1 is taken`)]]);
  taken.close();
  expect(await fleet.run('server', '--port', 'http')).toMatchObject({ status: 2, err: expect.stringContaining('--port') });
  expect(await fleet.run('server', '--port', '70000')).toMatchObject({ status: 2, err: expect.stringContaining('65535') });
});

test('an address that others reach is refused without a key, and served with one', async () => {
  const refused = await fleet.run('server', '--host', '0.0.0.0');
  expect(refused.status).toBe(2);
  expect(refused.err.trim().split('\n')).toEqual([expect.stringContaining('without an API key: make one with npx batuta key create')]);

  const made = await fleet.run('key', 'create', '--name', 'ada', '--role', 'operator', '--expires', '90d');
  expect([made.status, made.out]).toEqual([0, expect.stringMatching(/^batuta_[\w-]{43}\n$/)]);
  const key = made.out.trim();
  const server = await fleet.start('server', '--host', '0.0.0.0');
  const url = urlOf(server);
  expect((await fetch(`${url}/api/runs`)).status).toBe(401);
  expect((await fetch(`${url}/api/runs`, { headers: { authorization: `Bearer ${key}` } })).status).toBe(200);
  expect(server.log()).not.toContain(key);

  const listed = JSON.parse((await fleet.run('key', 'ls', '--json')).out) as { id: string; name: string; role: string; revokedAt: null }[];
  expect(listed).toEqual([expect.objectContaining({ name: 'ada', role: 'operator', revokedAt: null, lastUsedAt: expect.any(String) })]);
  expect((await fleet.run('key', 'ls')).out).toMatch(/ada +operator/);
  const id = listed[0]?.id ?? '';
  expect(await fleet.run('key', 'revoke', id.slice(-8))).toMatchObject({ status: 0, out: 'Key ada is revoked.\n' });
  expect((await fetch(`${url}/api/runs`, { headers: { authorization: `Bearer ${key}` } })).status).toBe(401);
  expect(await fleet.run('key', 'revoke', 'no-such-key')).toMatchObject({ status: 2, err: expect.stringContaining('KEY_NOT_FOUND') });
  expect(await fleet.run('key', 'create', '--name', 'a b', '--role', 'admin')).toMatchObject({ status: 2 });
  expect(await fleet.run('key', 'create', '--name', 'a', '--role', 'root')).toMatchObject({
    status: 2,
    err: expect.stringContaining('viewer'),
  });
  const { items } = await fleet.client.audit.list({ limit: 2 });
  expect(items.map(({ who, action, target }) => [who, action, target])).toEqual([
    ['local', 'keys.revoke', id],
    ['local', 'keys.create', id],
  ]);
  expect(await server.end('SIGTERM')).toBe(0);
  // The key that ended left the server closed.
  const again = await fleet.run('server', '--host', '0.0.0.0');
  expect(again.status).toBe(2);
});
