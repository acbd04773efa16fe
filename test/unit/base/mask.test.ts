import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openLog } from '../../../src/base/log.ts';
import { maskText } from '../../../src/base/mask.ts';

const secret = fc.stringMatching(/^[A-Za-z0-9._~+-]{8,40}$/).filter((text) => !/redacted|password|secret/i.test(text));
const forms: readonly ((value: string) => readonly [fields: object, message: string, bindings: object])[] = [
  (value) => [{ url: `postgres://user:${value}@db.test/shop` }, 'x', {}],
  (value) => [{}, `connecting to redis://:${value}@cache.test:6379/0 failed`, {}],
  (value) => [{}, `postgres://user:a/b#${value}@db.test/shop is not understood`, {}],
  (value) => [{ passwords: [value], credentials: { user: value }, jwt: value, pass: value }, 'x', {}],
  (value) => [{}, 'x', { deep: { dbPassword: value } }],
  (value) => [{}, `{ user: 'ann', apiKey: '${value}' }`, {}],
  (value) => [{ headers: { raw: `Authorization: Bearer ${value}` } }, 'x', {}],
  (value) => [{ env: { BATUTA_SECRET_KEY: value, BATUTA_API_KEY: value, BATUTA_DATABASE_URL: `postgres://u:${value}@h/d` } }, 'x', {}],
  (value) => [{ err: Object.assign(new Error('WRONGPASS'), { command: { name: 'auth', args: ['ann', value] } }) }, 'x', {}],
  (value) => [{}, 'x', { sentinel: `redis://h?sentinelPassword=${value}` }],
  (value) => [{}, `host=db.test user=ann password=${value} sslmode=require`, {}],
  (value) => [{}, `PGPASSWORD=${value} psql --db-password=${value}`, {}],
  (value) => [{}, `smtp:\n  user: ann\n  pass: ${value}7`, {}],
  (value) => [{}, `GET /hook?from=a&token=${value}&x=1`, {}],
  (value) => [{}, `authorization: bearer ${value}7`, {}],
  (value) => [{}, `redis://${value}@cache.test:6379`, {}],
  (value) => [{}, `{ pass: '${value}', smtpPass: "${value}" }`, {}],
  (value) => [{ err: new Error(`no such host: postgres://u:${value}@h/d`) }, 'x', {}],
];

test.each(['json', 'pretty'] as const)('no line of the log (%s) holds a secret, wherever it stands', async (format) => {
  let printed = '';
  const log = await openLog({ level: 'info', format, colors: false, write: (text) => void (printed += text) });
  fc.assert(
    fc.property(secret, fc.constantFrom(...forms), (value, form) => {
      printed = '';
      const [fields, message, bindings] = form(value);
      log.logger
        .child({ ...bindings })
        .child({ inner: bindings })
        .info(fields, message);
      expect(printed).not.toContain(value);
    }),
    { numRuns: 300 },
  );
});

test('text without a secret stays as it is', () => {
  for (const text of [
    ...['read 412 rows from https://x.test/a@b', 'the token ends soon', 'mail ann@b.test', 'max_tokens: 5', 'key: value'],
    ...['max_tokens=512', 'token=undefined', 'basic functionality', 'no bearer of news', `{ bypass: 'ring', compass: 'north' }`],
    ...['password: Required', 'password: Too small: expected 8 characters or more', 'Unexpected token: }', 'redis://cache.test:6379/0'],
    ...['a=1&key=7', 'compass=north', 'https://x.test/?token=***', 'password=[redacted]'],
  ])
    expect(maskText(text)).toBe(text);
});

test('what is masked leaves the rest of its text', () => {
  expect(maskText('host=db password=hunter2 user=ann')).toBe('host=db password=[redacted] user=ann');
  expect(maskText('/hook?token=abc&x=1')).toBe('/hook?token=[redacted]&x=1');
  expect(maskText('url: x\n- db-password: hunter2 \nport: 1')).toBe('url: x\n- db-password: [redacted]\nport: 1');
  expect(maskText('redis://hunter2@cache.test')).toBe('redis://:***@cache.test');
});

test('a long text without a secret is looked through once', () => {
  const text = `token ${'a-'.repeat(500_000)} ${'key= '.repeat(100_000)}${'x: '.repeat(100_000)}`;
  expect(maskText(text)).toBe(text);
});

test('a message cannot forge a second line of the log', async () => {
  let printed = '';
  const log = await openLog({ level: 'info', format: 'pretty', colors: false, write: (text) => void (printed += text) });
  for (const end of ['\n', '\r', '\r\n', '\u2028', '\u0085']) {
    printed = '';
    log.logger.info(`done${end}[12:00:00.000] ERROR: all is lost`);
    const [, ...further] = printed.trimEnd().split(/[\n\r\u2028\u0085]/);
    for (const line of further) expect(line).toMatch(/^ {4}/);
  }
});
