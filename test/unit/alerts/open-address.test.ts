/** What alerts may be posted to: the internet, and what the settings allow beside it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NotSent } from '../../../src/alerts/deliver.ts';
import { isPublicAddress, openAddresses } from '../../../src/alerts/send/open-address.ts';
import { postJson } from '../../../src/alerts/send/post.ts';
import { openReceiver, type Receiver } from '../../support/alerts.ts';

const privates = [
  '127.0.0.1',
  '127.8.8.8',
  '0.0.0.0',
  '10.1.2.3',
  '172.16.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '192.0.2.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.0.0.1',
  '::ffff:169.254.169.254',
  'fe80::1',
  'fc00::1',
  'fd12:3456::1',
  'ff02::1',
  '64:ff9b::7f00:1',
  '64:ff9b::10.0.0.1',
  '2002:7f00:1::',
  '2001:0:7f00:1::',
  '::7f00:1',
  '::a00:1',
  '64:ff9b:1::7f00:1',
  'fec0::1',
  '4000::1',
  'not-an-address',
  '',
];

describe('addresses', () => {
  test.each(privates)('%s is not of the internet', (address) => expect(isPublicAddress(address)).toBe(false));
  test.each(['1.1.1.1', '93.184.215.14', '2606:4700::1111', '::ffff:1.1.1.1'])('%s is', (address) =>
    expect(isPublicAddress(address)).toBe(true),
  );

  test('a name is refused when any of its addresses is private, and is asked for once', async () => {
    let asked = 0;
    const resolve = async () => {
      asked += 1;
      return [{ address: '1.1.1.1' }, { address: '10.0.0.7' }];
    };
    await expect(openAddresses('hooks.example', [], resolve)).rejects.toThrow(NotSent);
    expect(await openAddresses('hooks.example', ['hooks.example'], resolve)).toEqual([
      { address: '1.1.1.1', family: 4 },
      { address: '10.0.0.7', family: 4 },
    ]);
    expect(await openAddresses('hooks.example', ['10.0.0.0/24'], resolve)).toHaveLength(2);
    await expect(openAddresses('hooks.example', ['10.0.1.0/24', '10.0.0.8', 'fd00::/8'], resolve)).rejects.toThrow('10.0.0.7');
    expect(asked).toBe(4);
  });
});

describe('posts', () => {
  let receiver: Receiver;
  beforeEach(async () => void (receiver = await openReceiver()));
  afterEach(() => receiver.close());
  const port = (): string => new URL(receiver.url).port;
  const post = (url: string, options: Partial<Parameters<typeof postJson>[1]> = {}): Promise<string> =>
    postJson(url, { headers: {}, body: '{}', signal: new AbortController().signal, allowed: [], ...options });

  test.each([
    '127.0.0.1',
    '0.0.0.0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::127.0.0.1]',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    'localhost',
    'LOCALHOST',
  ])('nothing is sent to %s', async (host) => {
    await expect(post(`http://${host}:${port()}/hook`)).rejects.toThrow(NotSent);
    expect(receiver.taken).toEqual([]);
  });

  test('nothing is sent to a name that resolves to a private address', async () => {
    await expect(post(`http://hooks.example:${port()}/hook`, { resolve: async () => [{ address: '127.0.0.1' }] })).rejects.toThrow(NotSent);
    expect(receiver.taken).toEqual([]);
  });

  test('the connection goes to the address that was looked at, whatever the name resolves to later', async () => {
    // Does not exist: a second look would find nothing.
    const resolve = async () => [{ address: '127.0.0.1' }];
    expect(await post(`http://rebinding.invalid:${port()}/hook`, { resolve, allowed: ['127.0.0.1'] })).toBe('200 ok');
    expect(receiver.taken[0]?.headers.host).toBe(`rebinding.invalid:${port()}`);
  });

  test('a redirect is not followed', async () => {
    receiver.answer = 307;
    receiver.location = receiver.url;
    await expect(post(receiver.url, { allowed: ['127.0.0.1'] })).rejects.toThrow(NotSent);
    expect(receiver.taken).toHaveLength(1);
  });

  test('what is refused for now is tried again, what is gone is not', async () => {
    receiver.answer = 500;
    await expect(post(receiver.url, { allowed: ['*'] })).rejects.not.toThrow(NotSent);
    receiver.answer = 410;
    await expect(post(receiver.url, { allowed: ['*'] })).rejects.toThrow(NotSent);
  });

  test.each(['ftp://example.com/x', 'file:///etc/passwd', 'nothing'])('%s is nowhere to post to', async (url) => {
    await expect(post(url, { allowed: ['*'] })).rejects.toThrow(NotSent);
  });
});
