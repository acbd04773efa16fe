/** Who may ask for what: every route of the table by every kind of caller. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mayAct, roles } from '../../../src/model/access.ts';
import { access, accessOf, isSafe } from '../../../src/server/access.ts';
import type { App } from '../../../src/server/parts.ts';
import { addGuard } from '../../../src/server/guard.ts';
import { Authenticator } from '../../../src/server/identity.ts';
import { type Api, openApi } from '../../support/api.ts';

const rows = Object.entries(access).map(([row, { needs }]) => {
  const [method = '', url = ''] = row.split(' ');
  return { row, method, url: url.replace(/:\w+/g, 'unknown-one').replace('*', 'somewhere'), pattern: url, needs };
});

describe('the table of access', () => {
  let api: Api;
  const keys = new Map<string, string>();
  // Each route is asked several times by who may not.
  beforeAll(async () => {
    api = await openApi({ loopback: false, bounds: { failuresPerMinute: 100_000 } });
    for (const role of roles) keys.set(role, await api.key(role));
    const expired = await api.client.keys.create({ name: 'expired', role: 'admin', expiresAt: Date.now() + 5 });
    keys.set('expired', expired.key);
    const revoked = await api.client.keys.create({ name: 'revoked', role: 'admin' });
    await api.client.keys.revoke(revoked.entry.id);
    keys.set('revoked', revoked.key);
    keys.set('unknown', `batuta_${'x'.repeat(43)}`);
    while (Date.now() <= (expired.entry.expiresAt ?? 0)) await new Promise((resolve) => setImmediate(resolve));
  });
  afterAll(() => api.close());

  test('names only routes that there are', () => {
    for (const { method, pattern, row } of rows) expect(api.app.hasRoute({ method, url: pattern }), row).toBe(true);
  });

  test('must name a route for it to be registered, and say how its changes are noted', async () => {
    expect(() => accessOf('GET', '/api/secret')).toThrow('is in no row');
    expect(accessOf('HEAD', '/api/runs')).toBe(accessOf('GET', '/api/runs'));
    for (const { row, method, needs } of rows)
      if (!isSafe(method) && needs !== 'public') expect(access[row]?.audit, row).not.toBeUndefined();
    const app = fastify() as unknown as App;
    const { keys: local, audit } = api.client;
    addGuard(app, { authenticator: new Authenticator(local, true), audit, logger: api.client.engine.services.log });
    expect(() => app.get('/api/secret', async () => 'open')).toThrow('is in no row');
  });

  test.each(['nobody', 'unknown', 'expired', 'revoked'])('keeps %s out of everything that is not public', async (who) => {
    for (const { row, method, url, needs } of rows) {
      const key = keys.get(who);
      const answer = await api.ask(method, url, key === undefined ? {} : { key });
      if (needs === 'public') expect(answer.status, row).not.toBe(403);
      else expect(answer, row).toMatchObject({ status: 401, json: { error: { code: 'UNAUTHENTICATED' } } });
    }
  });

  test.each(roles)('lets a %s do what the role may, and nothing else', async (role) => {
    for (const { row, method, url, needs } of rows) {
      const allowed = needs === 'public' || mayAct(role, needs);
      if (allowed && url === '/api/events') continue;
      const { status, json } = await api.ask(method, url, { key: keys.get(role) ?? '', ...(method === 'GET' ? {} : { body: {} }) });
      if (!allowed)
        expect({ status, json }, row).toMatchObject({ status: 403, json: { error: { code: 'FORBIDDEN', details: { has: role } } } });
      else {
        expect([401, 403], row).not.toContain(status);
        expect(status, `${row}: ${JSON.stringify(json)}`).toBeLessThan(url.startsWith('/somewhere') ? 600 : 500);
      }
    }
  });

  test('has no stream without a body, and lets nothing of the API be kept', async () => {
    const key = keys.get('admin') ?? '';
    expect((await api.ask('HEAD', '/api/events', { key })).status).toBe(405);
    expect((await api.ask('HEAD', '/api/runs', { key })).status).toBe(200);
    for (const url of ['/api/runs', '/api/keys', '/api/none', '/api/me']) {
      expect((await api.get(url, { key })).headers['cache-control'], url).toBe('no-store');
      expect((await api.get(url)).headers['cache-control'], url).toBe('no-store');
    }
  });

  test('holds for live events too, over a real connection', async () => {
    await api.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = api.app.server.address() as AddressInfo;
    const ask = (key: string | undefined) =>
      fetch(`http://127.0.0.1:${port}/api/events`, key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } });
    for (const who of ['nobody', 'unknown', 'expired', 'revoked']) {
      const refused = await ask(keys.get(who));
      expect(refused.status, who).toBe(401);
      await refused.body?.cancel();
    }
    const reporter = await ask(keys.get('reporter'));
    expect(reporter.status).toBe(403);
    await reporter.body?.cancel();
    for (const role of roles.filter((one) => one !== 'reporter')) {
      const answer = await ask(keys.get(role));
      expect(answer.status, role).toBe(200);
      expect(answer.headers.get('content-type')).toContain('text/event-stream');
      await answer.body?.cancel();
    }
  });
});

describe('a server on loopback', () => {
  let api: Api;
  let site: string;
  beforeAll(async () => {
    site = mkdtempSync(join(tmpdir(), 'batuta-site-'));
    mkdirSync(join(site, 'assets'));
    writeFileSync(join(site, 'index.html'), '<!doctype html><title>Batuta</title>');
    writeFileSync(join(site, 'assets', 'app-1234.js'), 'export {}');
    writeFileSync(join(site, 'assets', 'app-1234.js.br'), brotliCompressSync('export {}'));
    writeFileSync(join(site, '.secret'), 'secret');
    api = await openApi({ siteFolder: site });
  });
  afterAll(async () => {
    await api.close();
    rmSync(site, { recursive: true, force: true });
  });

  test('needs no login while no key was made, and answers to names of this computer only', async () => {
    expect((await api.get('/api/me')).json).toEqual({ role: 'admin', who: 'local', csrf: null, needsKey: false });
    for (const host of ['localhost:4200', '127.0.0.1:4200', '[::1]:4200', 'dev.localhost'])
      expect((await api.get('/api/runs', { headers: { host } })).status, host).toBe(200);
    for (const host of ['evil.example', 'localhost.evil.example', '10.0.0.1', '127.0.0.1.evil.example']) {
      for (const url of ['/api/runs', '/api/me', '/', '/api/events'])
        expect((await api.get(url, { headers: { host } })).json, `${host}${url}`).toMatchObject({ error: { code: 'FORBIDDEN' } });
    }
  });

  test('refuses pages of other origins, whatever they ask for', async () => {
    for (const origin of ['https://evil.example', 'null', 'http://localhost.evil.example']) {
      expect((await api.post('/api/runs', { flow: 'hello' }, { headers: { origin } })).status, origin).toBe(403);
      expect((await api.get('/api/runs', { headers: { origin } })).status, origin).toBe(403);
    }
    expect((await api.post('/api/runs', { flow: 'hello' }, { headers: { origin: 'http://localhost:5173' } })).status).toBe(201);
    const form = { origin: 'http://localhost:4200', 'content-type': 'application/x-www-form-urlencoded' };
    expect((await api.post('/api/runs', 'flow=hello', { headers: form })).status).toBe(415);
    expect((await api.post('/api/runs', '{"flow":"hello"}', { headers: { 'content-type': 'text/plain' } })).status).toBe(415);
  });

  test('serves the page of the dashboard, its files for ever, and nothing beside them', async () => {
    const page = await api.get('/runs/whatever');
    expect(page).toMatchObject({ status: 200, text: '<!doctype html><title>Batuta</title>' });
    expect(page.headers['cache-control']).toBe('no-cache');
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect((await api.get('/assets/app-1234.js')).headers['cache-control']).toContain('immutable');
    for (const [accepted, sent] of [
      ['gzip, deflate, br', 'br'],
      ['gzip', undefined],
      ['', undefined],
    ] as const) {
      const asset = await api.get('/assets/app-1234.js', { headers: { 'accept-encoding': accepted } });
      expect(asset.headers, accepted).toMatchObject({ vary: expect.stringContaining('accept-encoding') });
      expect([asset.status, asset.headers['content-encoding']], accepted).toEqual([200, sent]);
      expect(asset.headers['content-type'], accepted).toContain('javascript');
    }
    for (const path of ['/assets/none.js', '/api/none', '/health/none']) expect((await api.get(path)).status, path).toBe(404);
    for (const path of [
      '/.secret',
      '/..%2f..%2fetc/passwd',
      '/assets/../../etc/passwd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/assets/..%5c..%5cx.js',
    ]) {
      const { text, status } = await api.get(path);
      expect(text, path).not.toMatch(/secret$|root:/);
      expect(status, path).toBeLessThan(500);
    }
    expect((await api.get('/%')).json).toMatchObject({ error: { code: 'REQUEST_INVALID' } });
  });

  test('wants a key from the first one on, also after that one has ended', async () => {
    const key = await api.key('admin', 'me');
    expect((await api.get('/api/runs')).status).toBe(401);
    expect((await api.get('/api/me')).json).toEqual({ role: null, who: null, csrf: null, needsKey: true });
    expect((await api.get('/api/runs', { key })).status).toBe(200);
    expect((await api.get('/', { headers: { host: 'proxy.example' } })).status).toBe(200);
    const [entry] = await api.client.keys.list();
    await api.client.keys.revoke(entry?.id ?? '');
    expect((await api.get('/api/runs')).status).toBe(401);
  });
});

test('a server whose database is away lives, is not ready, and says so without a stack', async () => {
  const away = await openApi();
  await away.client.close();
  expect(await away.get('/health/live', { headers: { host: 'balancer.example' } })).toMatchObject({ status: 200, json: { ok: true } });
  expect(await away.get('/health/ready')).toMatchObject({ status: 503, json: { error: { code: 'STORE_UNAVAILABLE', details: {} } } });
  const asked = await away.get('/api/runs');
  expect(asked.status).toBeGreaterThanOrEqual(500);
  expect(asked.text).not.toMatch(/ at |node_modules/);
  await away.close();
});
