/** Deliveries to webhooks: what is signed is taken once, and nothing else is read. */
import { createHmac, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkWebhook } from '../../../src/client/declared-webhook.ts';
import { signDelivery, verifyDelivery } from '../../../src/secrets/webhook-signature.ts';
import { type Answer, type Api, openApi } from '../../support/api.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi({ env: { BATUTA_SECRET_KEY: randomBytes(32).toString('hex') } });
  for (const name of ['shop', 'old', 'gh']) await api.client.secrets.set(name, { value: `${name}-secret-value` });
  await api.client.webhooks.set('shop', { secrets: ['shop', 'old'] });
  await api.client.webhooks.set('gh', { style: 'github', secrets: ['gh'], payload: { repo: 'payload.repository.name' } });
  await api.client.webhooks.set('plain', { style: 'header', secrets: ['shop'], header: 'X-Signature', eventId: 'payload.id' });
});
afterAll(() => api.close());

const json = { 'content-type': 'application/json' };
const events = async (): Promise<number> => (await api.client.events.list({ limit: 1_000 })).items.length;

function deliver(name: string, body: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  return api.ask('POST', `/hooks/${name}`, { body, headers: { ...json, ...headers } });
}

async function signed(
  name: string,
  body: unknown,
  { id = 'msg_1', secret = 'shop-secret-value', now = Date.now() } = {},
): Promise<readonly [string, Readonly<Record<string, string>>]> {
  const text = JSON.stringify(body);
  return [text, signDelivery((await api.client.webhooks.get(name)).rule, secret, text, id, now)];
}

test('signatures are those of the documents of their senders', () => {
  const github = checkWebhook('gh', { style: 'github', secrets: ['s'] });
  const hello = Buffer.from('Hello, World!');
  const hub = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  const secret = "It's a Secret to Everybody";
  expect(verifyDelivery(github, [secret], { headers: { 'x-hub-signature-256': hub }, body: hello }, 0).ok).toBe(true);
  expect(verifyDelivery(github, [secret], { headers: { 'x-hub-signature-256': hub }, body: Buffer.from('Hello, World?') }, 0).ok).toBe(
    false,
  );
  const standard = checkWebhook('shop', { secrets: ['s'] });
  const headers = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  };
  const message = { headers, body: Buffer.from('{"test": 2432232314}') };
  const whsec = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  expect(verifyDelivery(standard, [whsec], message, 1_614_265_330_000).ok).toBe(true);
  expect(verifyDelivery(standard, [whsec], message, 1_614_265_330_000 + 301_000)).toMatchObject({ ok: false });
  expect(verifyDelivery(standard, [whsec], message, 1_614_265_330_000 - 301_000)).toMatchObject({ ok: false });
  const stripe = checkWebhook('pay', { style: 'stripe', secrets: ['s'] });
  const v1 = createHmac('sha256', 'whsec_x').update('1000.{}').digest('hex');
  expect(
    verifyDelivery(
      stripe,
      ['whsec_x'],
      { headers: { 'stripe-signature': `t=1000,v1=${'0'.repeat(64)},v1=${v1}` }, body: Buffer.from('{}') },
      1_000_000,
    ).ok,
  ).toBe(true);
  expect(
    verifyDelivery(stripe, ['whsec_x'], { headers: { 'stripe-signature': `t=1001,v1=${v1}` }, body: Buffer.from('{}') }, 1_000_000).ok,
  ).toBe(false);
});

test('a signed delivery is an event once, however often and however late it is sent again, by either of two secrets', async () => {
  const before = await events();
  const delivery = await signed('shop', { type: 'order.created', id: 7 });
  const first = await deliver('shop', ...delivery);
  expect([first.status, first.json]).toEqual([202, { event: 'shop.order.created', id: 'shop:msg_1', isDuplicate: false }]);
  expect((await deliver('shop', ...delivery)).json).toMatchObject({ isDuplicate: true });
  const later = await signed('shop', { type: 'order.created', id: 7 }, { now: Date.now() + 60_000, secret: 'old-secret-value' });
  expect((await deliver('shop', ...later)).json).toMatchObject({ isDuplicate: true });
  expect(await events()).toBe(before + 1);
  expect(await api.client.events.get('shop:msg_1')).toMatchObject({ source: 'webhook:shop', payload: { type: 'order.created', id: 7 } });
  const many = await Promise.all(
    Array.from({ length: 8 }, async () => deliver('shop', ...(await signed('shop', { type: 'x' }, { id: 'msg_many' })))),
  );
  expect(many.filter(({ status }) => status === 202)).toHaveLength(1);
  expect((await api.client.webhooks.get('shop')).accepted).toBe(2);
});

test('what is forged, old, unsigned, changed or of another secret is refused before it is read, and the webhook says so', async () => {
  const before = await events();
  const [body, headers] = await signed('shop', { type: 'x' }, { id: 'msg_2' });
  const refusals = [
    await deliver('shop', body, {}),
    await deliver('shop', body.replace('x', 'y'), headers),
    await deliver('shop', body, { ...headers, 'webhook-id': 'msg_3' }),
    await deliver('shop', body, { ...headers, 'webhook-signature': `v1,${'A'.repeat(43)}=` }),
    await deliver('shop', ...(await signed('shop', { type: 'x' }, { secret: 'gh-secret-value' }))),
    await deliver('shop', ...(await signed('shop', { type: 'x' }, { now: Date.now() - 6 * 60_000 }))),
    await deliver('shop', ...(await signed('shop', { type: 'x' }, { now: Date.now() + 6 * 60_000 }))),
    await deliver('shop', 'no JSON at all', { ...headers }),
    await deliver('gh', '{}', { 'x-hub-signature-256': 'sha256=' }),
  ];
  expect(refusals.map(({ status, json: { error } }) => [status, error.code])).toEqual(refusals.map(() => [401, 'WEBHOOK_REFUSED']));
  expect(await events()).toBe(before);
  expect((await api.client.webhooks.get('shop')).refusal).toMatch(/was refused/);
});

test('whoever posts while a secret cannot be read learns neither its name nor what is wrong, and the owner does', async () => {
  await api.client.secrets.set('gone', { value: 'gone-secret-value' });
  await api.client.webhooks.set('orphan', { style: 'token', secrets: ['gone'], header: 'X-Token' });
  await api.client.secrets.delete('gone');
  const answer = await deliver('orphan', '{}', { 'x-token': 'a guess' });
  expect([answer.status, answer.json.error]).toEqual([
    503,
    { code: 'WEBHOOK_UNVERIFIABLE', message: 'Deliveries cannot be verified at the moment; send it again later.', details: {} },
  ]);
  expect((await api.client.webhooks.get('orphan')).refusal).toContain("'gone'");
});

test('a body that comes again is the same event for as long as the webhook says, and another one after that', async () => {
  const before = await events();
  await api.client.webhooks.set('brief', { style: 'token', secrets: ['shop'], header: 'X-Token', replayWindow: '1s' });
  const send = (): Promise<Answer> => deliver('brief', '{"n":1}', { 'x-token': 'shop-secret-value' });
  const first = await send();
  expect([first.status, (await send()).status]).toEqual([202, 200]);
  let again = await send();
  while (again.status === 200) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    again = await send();
  }
  expect([again.status, again.json.id === first.json.id, await events()]).toEqual([202, false, before + 2]);
});

test('a body that is too large, of another type, no JSON or too deep is refused', async () => {
  const large = await deliver('shop', `{"text":"${'x'.repeat(10 * 1024 * 1024)}"}`, {});
  expect([large.status, large.json.error.code]).toEqual([413, 'REQUEST_INVALID']);
  const form = await api.ask('POST', '/hooks/shop', {
    body: 'payload=1',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  expect(form.status).toBe(415);
  const { rule } = await api.client.webhooks.get('shop');
  for (const [at, body] of ['not JSON', '['.repeat(5_000) + ']'.repeat(5_000)].entries()) {
    const answer = await deliver('shop', body, signDelivery(rule, 'shop-secret-value', body, `msg_bad_${at}`, Date.now()));
    expect([answer.status, answer.json.error.code]).toEqual([400, 'REQUEST_INVALID']);
  }
  expect((await deliver('nowhere', '{}', {})).json.error.code).toBe('WEBHOOK_NOT_FOUND');
});

test('a name that the sender makes of hostile text is refused, and the payload comes through as mapped', async () => {
  const bad = await deliver('shop', ...(await signed('shop', { type: "x'; drop table events; --" }, { id: 'msg_hostile' })));
  expect([bad.status, bad.json.error.code]).toEqual([400, 'EVENT_INVALID']);
  const [body, headers] = await signed('gh', { repository: { name: '<script>', private: true } }, { secret: 'gh-secret-value' });
  const answer = await deliver('gh', body, { ...headers, 'x-github-event': 'push' });
  expect(answer.json).toMatchObject({ event: 'gh.push', isDuplicate: false });
  expect((await api.client.events.get(answer.json.id)).payload).toEqual({ repo: '<script>' });
  expect((await deliver('gh', body, { ...headers, 'x-github-event': 'push', 'x-github-delivery': 'another' })).json).toMatchObject({
    isDuplicate: true,
  });
  const [first, second] = [await signed('plain', { id: 5, n: 1 }), await signed('plain', { id: 5, n: 2 })];
  expect((await deliver('plain', ...first)).json).toMatchObject({ event: 'plain', id: 'plain:5', isDuplicate: false });
  expect((await deliver('plain', ...second)).json).toMatchObject({ id: 'plain:5', isDuplicate: true });
});

test('a test says what a delivery would do and stores nothing', async () => {
  const before = await events();
  await api.client.deployments.deploy([{ flow: 'hello', on: { on: 'event:shop.order.*', where: { 'payload.total': 5 } } }]);
  const ask = (total: number): Promise<Answer> => api.post('/api/webhooks/shop/test', { body: { type: 'order.paid', total } });
  expect((await ask(5)).json).toMatchObject({ event: 'shop.order.paid', starts: ['hello'] });
  expect((await ask(6)).json).toMatchObject({ starts: [] });
  expect(await events()).toBe(before);
});

test('what is no webhook is refused with what it may be', async () => {
  const refused = (spec: object): Promise<string | null> =>
    api.client.webhooks.set('x', { secrets: ['shop'], ...spec }).then(
      () => null,
      ({ code }: { readonly code: string }) => code,
    );
  expect(await refused({ secrets: ['nobody'] })).toBe('SECRET_NOT_FOUND');
  for (const spec of [
    { secrets: [] },
    { style: 'md5' },
    { style: 'header' },
    { header: 'x' },
    { style: 'token', header: 'a b' },
    { event: '{constructor.x}' },
    { eventId: 'body.id' },
    { tolerance: '2 days' },
  ])
    expect([spec, await refused(spec)]).toEqual([spec, 'WEBHOOK_INVALID']);
  expect(await refused({ when: 1 })).toBe('OPTION_UNKNOWN');
});
