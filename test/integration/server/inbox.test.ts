/** The inbox over HTTP, and links to decide as somebody would attack them. */
import { Flow, type FlowContext } from 'batuta';
import { openHttpClient } from 'batuta/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Api, openApi } from '../../support/api.ts';

const hour = 3_600_000;

@Flow()
class Pays {
  async run({ title, timeout }: { title: string; timeout?: number }, ctx: FlowContext): Promise<unknown> {
    const schema = z.object({ euros: z.number().int(), note: z.string().optional() });
    return await ctx.waitFor('pay', { title, schema, ...(timeout === undefined ? {} : { timeout }) });
  }
}

@Flow()
class Approves {
  async run(_: unknown, ctx: FlowContext): Promise<unknown> {
    return await ctx.waitFor('approve', { title: 'Go?' });
  }
}

let api: Api;
const keys: Record<string, string> = {};
beforeAll(async () => {
  api = await openApi({
    loopback: false,
    env: { BATUTA_SECRET_KEY: 'ab'.repeat(32), BATUTA_SECRET_KEY_OLD: 'cd'.repeat(32), BATUTA_PUBLIC_URL: 'https://ops.example/batuta/' },
  });
  for (const [name, role] of Object.entries({ ada: 'operator', bob: 'operator', eve: 'viewer', spy: 'observer' } as const))
    keys[name] = await api.key(role, name);
});
afterAll(() => api.close());
const as = (name: string) => ({ key: keys[name] ?? '' });

/** A run that waits, and its item. */
async function waits(title = 'Pay?', timeout?: number) {
  const handle = await api.client.submit(Pays, { title, ...(timeout === undefined ? {} : { timeout }) });
  await expect.poll(async () => (await api.client.inbox.list({ runId: handle.id })).items.length).toBe(1);
  return { handle, item: await api.client.inbox.get(handle.id) };
}
const pathOf = (url: string): string => new URL(url).pathname.replace('/batuta', '');
const linkOf = async (id: string, options = {}): Promise<string> => pathOf(await api.client.inbox.link(id, { euros: 5 }, options));
const auditOf = async (target: string) => (await api.client.audit.list()).items.filter((entry) => entry.target === target);

describe('the inbox over HTTP', () => {
  test('is listed, shown and decided by who may, with who it was on record', async () => {
    const { handle, item } = await waits('Pay <b>Ada</b>?');
    const listed = await api.get('/api/inbox', as('eve'));
    expect(listed.json.items).toEqual([expect.objectContaining({ id: item.id, title: 'Pay <b>Ada</b>?', status: 'open', data: null })]);
    expect((await api.get(`/api/inbox/${handle.id}`, as('eve'))).json).toMatchObject({
      id: item.id,
      flow: 'pays',
      schema: { required: ['euros'] },
    });
    expect((await api.get('/api/inbox', as('spy'))).status).toBe(403);
    const body = { data: { euros: 7 } };
    expect((await api.post(`/api/inbox/${item.id}/decide`, body, as('eve'))).status).toBe(403);
    expect(await api.post(`/api/inbox/${item.id}/decide`, { data: { euros: 'x' } }, as('ada'))).toMatchObject({
      status: 400,
      json: { error: { code: 'DECISION_INVALID', details: { issues: [{ path: 'euros' }] } } },
    });
    expect(await api.post(`/api/inbox/${item.id}/decide`, body, as('ada'))).toMatchObject({
      status: 200,
      json: { status: 'decided', decidedBy: 'ada', decidedVia: 'api', data: { json: { euros: 7 } } },
    });
    expect(await handle.result()).toEqual({ euros: 7 });
    expect(await api.post(`/api/inbox/${item.id}/decide`, body, as('bob'))).toMatchObject({
      status: 409,
      json: { error: { code: 'DECISION_REFUSED' } },
    });
    expect(await auditOf(item.id)).toMatchObject([{ action: 'inbox.decide', who: 'ada', details: { run: handle.id, name: 'pay' } }]);
    expect((await api.get('/api/inbox?status=decided', as('eve'))).json.items.map(({ id }: { id: string }) => id)).toContain(item.id);
  });

  test('is the same by the client over HTTP', async () => {
    const { handle, item } = await waits();
    const client = openHttpClient({ apiUrl: await api.listen(), apiKey: keys['ada'] ?? '' });
    try {
      expect((await client.inbox.list({ runId: handle.id })).items).toEqual([item]);
      expect(await client.inbox.get(item.id)).toEqual(item);
      expect(await client.inbox.link(item.id, { euros: 1 }, { expires: '1h' })).toMatch(
        /^https:\/\/ops\.example\/batuta\/decide\/[\w.-]+$/,
      );
      await expect(client.inbox.decide(item.id, { euros: 1.5 })).rejects.toMatchObject({ code: 'DECISION_INVALID' });
      expect(await client.inbox.decide(item.id, { euros: 3 })).toMatchObject({ status: 'decided', decidedBy: 'ada' });
      await expect(client.inbox.get('nothing')).rejects.toMatchObject({ code: 'INBOX_ITEM_NOT_FOUND' });
    } finally {
      await client.close();
    }
    expect(await handle.result()).toEqual({ euros: 3 });
  });
});

describe('a link to decide', () => {
  const form = { headers: { 'content-type': 'application/x-www-form-urlencoded' } };

  test('decides nothing when it is looked at, and once when it is confirmed', async () => {
    const { handle, item } = await waits('Pay <script>alert(1)</script>?');
    const link = await linkOf(item.id);
    for (const method of ['GET', 'HEAD', 'GET']) expect((await api.ask(method, link)).status).toBe(200);
    const page = await api.get(link);
    expect(page.text).toContain('<form method="post">');
    expect(page.text).toContain('<dt>euros</dt><dd>5</dd>');
    expect(page.text).not.toContain('<script>');
    // With no-referrer browsers would send the origin of the form as null.
    expect(page.headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'same-origin', 'x-frame-options': 'DENY' });
    expect((await api.client.inbox.get(item.id)).status).toBe('open');
    const confirmed = await api.post(link, '', { headers: { ...form.headers, origin: 'http://localhost:4200' } });
    expect([confirmed.status, confirmed.text]).toEqual([200, expect.stringContaining('is decided')]);
    expect(await handle.result()).toEqual({ euros: 5 });
    expect(await api.client.inbox.get(item.id)).toMatchObject({ decidedBy: 'a link', decidedVia: 'link' });
    expect(await auditOf(item.id)).toMatchObject([{ action: 'inbox.decide', who: 'a link', details: { via: 'link' } }]);
    for (const again of [await api.post(link, '', form), await api.get(link)])
      expect([again.status, again.text]).toEqual([409, expect.stringContaining('was decided already, by a link at ')]);
  });

  test('used many times at once counts once', async () => {
    const { item } = await waits();
    const links = await Promise.all([linkOf(item.id), linkOf(item.id, { expires: hour }), linkOf(item.id)]);
    const answers = await Promise.all([...links, ...links].map((link) => api.post(link, '', form)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409, 409, 409]);
    expect(await auditOf(item.id)).toHaveLength(1);
  });

  test('that is changed in any part is none', async () => {
    const [{ item }, { item: other }] = [await waits('One?'), await waits('Two?')];
    const [body = '', keyId = '', mac = ''] = (await linkOf(item.id)).replace('/decide/', '').split('.');
    const [otherBody = ''] = (await linkOf(other.id)).replace('/decide/', '').split('.');
    const said = JSON.parse(Buffer.from(body, 'base64url').toString());
    const forged = (change: (parts: unknown[]) => unknown[]): string =>
      Buffer.from(JSON.stringify(change([...said]))).toString('base64url');
    const attacks = [
      `${otherBody}.${keyId}.${mac}`,
      `${forged(([, ...rest]) => [other.id, ...rest])}.${keyId}.${mac}`,
      `${forged(([id, , ...rest]) => [id, '{"json":{"euros":1000000}}', ...rest])}.${keyId}.${mac}`,
      `${forged(([id, value]) => [id, value, null, Date.now() + 10 ** 12])}.${keyId}.${mac}`,
      `${body}.${keyId}.${mac.slice(0, -2)}`,
      `${body}.${keyId}.${'A'.repeat(mac.length)}`,
      `${body}.00000000.${mac}`,
      `${body}.${keyId}.`,
      `${body}`,
      '%2e%2e%2fapi%2finbox',
    ];
    for (const token of attacks) {
      for (const answer of [await api.get(`/decide/${token}`), await api.post(`/decide/${token}`, '', form)])
        expect([token, answer.status, answer.text], token).toEqual([token, 404, expect.stringContaining('not from this server')]);
    }
    expect([item, other].length).toBe(2);
    for (const { id } of [item, other]) expect((await api.client.inbox.get(id)).status).toBe('open');
  });

  test('whose answer does not fit decides nothing', async () => {
    const approves = await api.client.submit(Approves);
    await expect.poll(async () => (await api.client.inbox.list({ runId: approves.id })).items.length).toBe(1);
    // As `notify` makes them, which cannot look.
    const addresses = api.client.engine.services.decisionAddresses;
    for (const [id, answer] of [
      [(await waits()).item.id, { euros: 'x' }],
      [(await api.client.inbox.get(approves.id)).id, { yes: true }],
      [(await api.client.inbox.get(approves.id)).id, null],
    ] as const) {
      const value = JSON.stringify({ json: answer });
      const link = pathOf(addresses?.linkTo({ itemId: id, value, for: null, expiresAt: Date.now() + hour }) ?? '');
      const refused = await api.post(link, '', form);
      expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('does not fit')]);
      expect((await api.client.inbox.get(id)).status).toBe('open');
    }
  });

  test('for a person opens itself once more where another site has led there, for browsers keep cookies from that', async () => {
    const { item } = await waits();
    const link = await linkOf(item.id, { for: 'ada' });
    const refresh = '<meta http-equiv="refresh" content="0; url=?here">';
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, {}]) {
      const first = await api.get(link, { headers });
      expect([first.status, first.text]).toEqual([403, expect.stringContaining(refresh)]);
      expect(first.text).toContain('<a href="?here">Continue</a>');
    }
    for (const [path, headers] of [
      [`${link}?here`, { 'sec-fetch-site': 'cross-site' }],
      [link, { 'sec-fetch-site': 'same-origin' }],
      [link, { 'sec-fetch-site': 'none' }],
    ] as const) {
      const { text } = await api.get(path, { headers });
      expect(text).toContain('Log in</a>, then open the link again.');
      expect(text).not.toContain('refresh');
    }
    expect((await api.get(`${link}?here`, as('ada'))).text).toContain('Confirm this decision');
    expect((await api.get(link, { ...as('bob'), headers: { 'sec-fetch-site': 'cross-site' } })).text).not.toContain('refresh');
  });

  test('is for the person it names, and nobody else', async () => {
    const { handle, item } = await waits();
    const link = await linkOf(item.id, { for: 'ada' });
    for (const options of [form, { ...form, ...as('bob') }, { ...form, ...as('eve') }, { ...form, key: `batuta_${'x'.repeat(43)}` }]) {
      for (const answer of [await api.get(link, options), await api.post(link, '', options)])
        expect([answer.status, answer.text]).toEqual([403, expect.stringContaining('This link is for ada alone')]);
    }
    expect((await api.client.inbox.get(item.id)).status).toBe('open');
    expect((await api.post(link, '', { ...form, ...as('ada') })).status).toBe(200);
    expect(await api.client.inbox.get(item.id)).toMatchObject({ decidedBy: 'ada', decidedVia: 'link' });
    await handle.result();
  });

  test('ends with its time, and with that of the item', async () => {
    const { item } = await waits();
    const short = await linkOf(item.id, { expires: 30 });
    await expect.poll(async () => (await api.get(short)).status).toBe(410);
    expect(await api.post(short, '', form)).toMatchObject({ status: 410, text: expect.stringContaining('This link has expired') });
    expect((await api.client.inbox.get(item.id)).status).toBe('open');
    const brief = await waits('Brief?', 400);
    const link = await linkOf(brief.item.id, { expires: '1 day' });
    await expect(brief.handle.result()).rejects.toThrow();
    expect([(await api.get(link)).status, (await api.post(link, '', form)).status]).toEqual([409, 409]);
  });

  test('is not taken from a page of another place', async () => {
    const { item } = await waits();
    const link = await linkOf(item.id);
    expect((await api.post(link, '', { headers: { ...form.headers, origin: 'https://evil.example' } })).status).toBe(403);
    expect((await api.client.inbox.get(item.id)).status).toBe('open');
  });

  test('is refused where the answer does not fit, the run is over, or there is no key to sign it with', async () => {
    const { handle, item } = await waits();
    await expect(api.client.inbox.link(item.id, { euros: 'x' })).rejects.toMatchObject({ code: 'DECISION_INVALID' });
    await expect(api.client.inbox.link(item.id, { euros: 1, note: 'x'.repeat(2_000) })).rejects.toMatchObject({ code: 'DECISION_INVALID' });
    const link = await linkOf(item.id);
    await api.client.runs.cancel(handle.id);
    await handle.done();
    expect(await api.post(link, '', form)).toMatchObject({ status: 409, text: expect.stringContaining('its run has ended') });
    await expect(api.client.inbox.link(item.id, { euros: 1 })).rejects.toMatchObject({ code: 'DECISION_REFUSED' });
    const bare = await openApi();
    const open = await bare.client.submit(Pays, { title: 'Bare?' });
    await expect.poll(async () => (await bare.client.inbox.list()).items.length).toBe(1);
    await expect(bare.client.inbox.link(open.id, { euros: 1 })).rejects.toMatchObject({ code: 'SECRET_KEY_MISSING' });
    await bare.close();
  });
});
