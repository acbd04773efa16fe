/** Logging in with a key, changes by a session, and the record of them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, openApi } from '../../support/api.ts';

describe('a session', () => {
  let api: Api;
  let key: string;
  beforeAll(async () => {
    api = await openApi({ loopback: false });
    key = await api.key('operator', 'ada');
  });
  afterAll(() => api.close());

  async function logIn(): Promise<{ cookie: string; csrf: string; set: string }> {
    const answer = await api.post('/api/login', { key }, { headers: { 'x-forwarded-for': '10.9.9.9' } });
    expect(answer.status).toBe(200);
    const set = String(answer.headers['set-cookie']);
    return { cookie: set.split(';', 1)[0] ?? '', csrf: answer.json.csrf, set };
  }

  test('is a cookie out of reach of scripts, and ends by logging out', async () => {
    const { cookie, csrf, set } = await logIn();
    expect(set).toMatch(/HttpOnly/);
    expect(set).toMatch(/SameSite=Strict/);
    expect(set).not.toContain(key);
    expect((await api.get('/api/me', { headers: { cookie } })).json).toEqual({ role: 'operator', who: 'ada', csrf, needsKey: true });
    expect((await api.get('/api/runs', { headers: { cookie } })).status).toBe(200);
    await api.post('/api/logout', undefined, { headers: { cookie } });
    expect((await api.get('/api/runs', { headers: { cookie } })).status).toBe(401);
  });

  test('changes things only with its token, which no other session has', async () => {
    const [one, other] = [await logIn(), await logIn()];
    const submit = (headers: Record<string, string>) =>
      api.post('/api/runs', { flow: 'hello' }, { headers: { cookie: one.cookie, ...headers } });
    expect((await submit({})).json).toMatchObject({ error: { code: 'FORBIDDEN' } });
    expect((await submit({ 'x-batuta-csrf': '' })).status).toBe(403);
    expect((await submit({ 'x-batuta-csrf': other.csrf })).status).toBe(403);
    expect((await submit({ 'x-batuta-csrf': one.csrf, origin: 'https://evil.example' })).status).toBe(403);
    expect((await submit({ 'x-batuta-csrf': one.csrf })).status).toBe(201);
    expect((await submit({ 'x-batuta-csrf': one.csrf, origin: 'http://localhost:4200' })).status).toBe(201);
  });

  test('is not opened by a key that opens nothing, nor by trying often', async () => {
    expect((await api.post('/api/login', { key: 'batuta_wrong' })).status).toBe(401);
    expect((await api.post('/api/login', { key: '' })).status).toBe(401);
    expect((await api.post('/api/login', { key: { $ne: 1 } })).status).toBe(400);
    const statuses = [];
    for (let tries = 0; tries < 20; tries++) statuses.push((await api.post('/api/login', { key: 'batuta_wrong' })).status);
    expect(statuses.at(-1)).toBe(429);
    expect((await api.post('/api/login', { key: 'batuta_wrong' })).json).toMatchObject({ error: { code: 'RATE_LIMITED' } });
  });

  test('leaves a record of each change with who made it, and none of what was refused or only looked at', async () => {
    const admin = await api.key('admin', 'grace');
    const run = await api.post('/api/runs', { flow: 'hello', params: { name: '<script>' } }, { key });
    await api.post(`/api/runs/${run.json.id}/cancel`, { message: 'no' }, { key });
    await api.post(`/api/runs/${run.json.id}/cancel`, {}, { key });
    await api.ask('DELETE', `/api/runs/${run.json.id}`, { key });
    await api.post('/api/runs/cancel', { filter: { flow: 'hello' }, dryRun: true }, { key });
    const made = await api.post('/api/keys', { name: 'ci', role: 'viewer' }, { key: admin });
    expect(made.status).toBe(201);
    await api.ask('DELETE', `/api/keys/${made.json.entry.id}`, { key: admin });
    await api.ask('DELETE', `/api/runs/${run.json.id}`, { key: admin });
    const { items } = (await api.get('/api/audit?limit=5', { key: admin })).json;
    expect(items.map(({ who, action, target }: Record<string, string>) => [who, action, target])).toEqual([
      ['grace', 'runs.delete', run.json.id],
      ['grace', 'keys.revoke', made.json.entry.id],
      ['grace', 'keys.create', made.json.entry.id],
      ['ada', 'runs.cancel', run.json.id],
      ['ada', 'runs.submit', run.json.id],
    ]);
    expect(JSON.stringify(items)).not.toContain(made.json.key);
  });

  test('and its keys are never in the log', async () => {
    const { cookie } = await logIn().catch(() => ({ cookie: 'batuta_session=x' }));
    await api.get('/api/runs', { key });
    await api.get('/api/runs', { headers: { cookie } });
    const log = api.logged.join('');
    expect(log).toContain('"route":"/api/runs"');
    expect(log).not.toContain(key);
    expect(log).not.toContain(cookie.split('=')[1]);
    expect(log).not.toMatch(/authorization/i);
  });
});

test('behind a proxy that is trusted the cookie is for https alone, and logins count by caller', async () => {
  const trusting = await openApi({ loopback: false, env: { BATUTA_TRUST_PROXY: 'true' } });
  try {
    const key = await trusting.key('viewer');
    const from = (address: string) => ({ headers: { 'x-forwarded-for': address, 'x-forwarded-proto': 'https' } });
    expect(String((await trusting.post('/api/login', { key }, from('10.0.0.1'))).headers['set-cookie'])).toMatch(/; Secure/);
    for (let tries = 0; tries < 12; tries++) await trusting.post('/api/login', { key: 'wrong' }, from('10.0.0.2'));
    expect((await trusting.post('/api/login', { key }, from('10.0.0.2'))).status).toBe(429);
    expect((await trusting.post('/api/login', { key }, from('10.0.0.1'))).status).toBe(200);
    // What the caller itself put there stands before what the proxy has seen.
    expect((await trusting.post('/api/login', { key }, from('10.0.0.77, 10.0.0.2'))).status).toBe(429);
  } finally {
    await trusting.close();
  }
});

test('headers that anyone can make up are not believed without a proxy', async () => {
  const plain = await openApi({ loopback: false });
  try {
    const key = await plain.key('viewer');
    const answer = await plain.post('/api/login', { key }, { headers: { 'x-forwarded-proto': 'https' } });
    expect(String(answer.headers['set-cookie'])).not.toMatch(/Secure/);
    for (let tries = 0; tries < 12; tries++)
      await plain.post('/api/login', { key: 'wrong' }, { headers: { 'x-forwarded-for': `10.0.0.${tries}` } });
    expect((await plain.post('/api/login', { key }, { headers: { 'x-forwarded-for': '10.1.1.1' } })).status).toBe(429);
  } finally {
    await plain.close();
  }
});
