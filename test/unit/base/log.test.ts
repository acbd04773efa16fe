import { expect, test } from 'vitest';
import { type LogOptions, openLog, type RunLine } from '../../../src/base/log.ts';
import { isSecretName } from '../../../src/base/secret-names.ts';
import { compileProgram, startProgram } from '../../support/run-source.ts';

const ids = { runId: 'run-1', taskRunId: 'task-1', flow: 'flight-delays', task: 'join' };

async function open(options: Partial<LogOptions> = {}) {
  let printed = '';
  const log = await openLog({ level: 'info', format: 'json', colors: false, write: (text) => void (printed += text), ...options });
  const lines: RunLine[] = [];
  const stop = log.onLine((line) => lines.push(line));
  return { log, lines, stop, printed: () => printed };
}

test('a line inside a run reaches the listener with its ids, time, level, message and fields', async () => {
  const { log, lines } = await open({ clock: { now: () => 1_700_000_000_000 } as NonNullable<LogOptions['clock']> });
  log.logger.child(ids).warn({ rows: 412, nested: { at: new Date(0) } }, 'read %d rows', 412);
  expect(lines).toEqual([
    {
      runId: 'run-1',
      taskRunId: 'task-1',
      at: 1_700_000_000_000,
      level: 40,
      message: 'read 412 rows',
      fields: { rows: 412, nested: { at: '1970-01-01T00:00:00.000Z' } },
    },
  ]);
});

test('a line without fields or task has null in their place', async () => {
  const { log, lines } = await open();
  log.logger.child({ runId: 'run-1', flow: 'hello' }).info('hello');
  expect(lines).toMatchObject([{ runId: 'run-1', taskRunId: null, message: 'hello', fields: null }]);
});

test('a line outside every run is printed and reaches no listener', async () => {
  const { log, lines, printed } = await open();
  log.logger.info({ runId: 'not-a-run' }, 'started');
  expect(lines).toEqual([]);
  expect(JSON.parse(printed())).toMatchObject({ level: 30, msg: 'started' });
});

test('user code cannot move its lines to another run, neither by a field nor by a child logger', async () => {
  const { log, lines } = await open();
  const logger = log.logger.child(ids);
  logger.info({ runId: 'other', taskRunId: 'other' }, 'by a field');
  logger.child({ runId: 'other', taskRunId: 'other' }).info('by a child');
  expect(lines.map((line) => [line.runId, line.taskRunId])).toEqual([
    ['run-1', 'task-1'],
    ['run-1', 'task-1'],
  ]);
});

test('a line below the level is neither printed nor handed on', async () => {
  const { log, lines, printed } = await open({ level: 'warn' });
  log.logger.child(ids).info('quiet');
  expect([printed(), lines]).toEqual(['', []]);
});

test('after it was ended, a listener hears nothing; ending twice is harmless', async () => {
  const { log, lines, stop } = await open();
  stop();
  stop();
  log.logger.child(ids).info('hello');
  expect(lines).toEqual([]);
});

test('secrets are replaced in fields at any depth, in errors and in child loggers, on screen and for the listener', async () => {
  const { log, lines, printed } = await open();
  const error = Object.assign(new Error('refused'), { config: { headers: { Authorization: 'hunter2' } } });
  const circle: Record<string, unknown> = { dbPassword: 'hunter2' };
  circle['self'] = circle;
  log.logger
    .child(ids)
    .child({ apiKey: 'hunter2' })
    .error({ err: error, rows: [{ refresh_token: 'hunter2' }], circle, cookie: 'hunter2' }, 'request');
  expect(printed()).not.toContain('hunter2');
  expect(JSON.stringify(lines)).not.toContain('hunter2');
  expect(lines[0]?.fields).toMatchObject({
    apiKey: '[redacted]',
    cookie: '[redacted]',
    err: { type: 'Error', message: 'refused' },
    rows: [{ refresh_token: '[redacted]' }],
  });
});

test('names of secrets are known in every spelling, and names that merely hold such a word are left alone', () => {
  for (const name of ['password', 'DB_PASSWORD', 'X-Api-Key', 'accessToken', 'set-cookie', 'clientSecret', 'Authorization'])
    expect(isSecretName(name)).toBe(true);
  for (const name of ['tokens', 'passwordLength', 'secretary', 'cookies_accepted', 'author', 'key']) expect(isSecretName(name)).toBe(false);
});

test('an error keeps type, message, stack and cause wherever it stands in the fields', async () => {
  const { log, lines } = await open();
  const logger = log.logger.child(ids);
  logger.error(new TypeError('no rows', { cause: new Error('disk') }));
  logger.error({ deep: { reason: new RangeError('too far') } }, 'later');
  expect(lines[0]).toMatchObject({ message: 'no rows', fields: { err: { type: 'TypeError', stack: expect.stringContaining('disk') } } });
  expect(lines[1]).toMatchObject({ message: 'later', fields: { deep: { reason: { type: 'RangeError', message: 'too far' } } } });
});

test('a field that cannot be read does not break the line', async () => {
  const { log, lines } = await open();
  const fields = Object.defineProperty({ big: 10n }, 'broken', { enumerable: true, get: () => { throw new Error('gone'); } }); // biome-ignore format: one thought
  log.logger.child(ids).info(fields, 'still here');
  expect(lines[0]).toMatchObject({ message: 'still here', fields: { broken: '[unreadable: gone]' } });
});

test('the pretty form names flow and task, keeps the ids out and lets nothing steer the terminal', async () => {
  const { log, lines, printed } = await open({ format: 'pretty' });
  log.logger.child(ids).info({ rows: 2 }, 'read \u001b[2Jall\u0007');
  expect(printed()).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: flight-delays\.join: read all \{"rows":2\}\n$/);
  expect(lines).toMatchObject([{ message: 'read \u001b[2Jall\u0007', fields: { rows: 2 } }]);
});

test('the pretty form names the attempt where it is not the first, or had ended', async () => {
  const { log, printed } = await open({ format: 'pretty' });
  for (const more of [{ attempt: 1 }, { attempt: 2 }, { attempt: 1, late: true }]) log.logger.child({ ...ids, ...more }).info('read');
  expect(printed().replace(/^\[.*?\] /gm, '')).toBe(
    'INFO: flight-delays.join: read\nINFO: flight-delays.join (attempt 2): read\nINFO: flight-delays.join (attempt 1, ended): read\n',
  );
});

test('the pretty form of a warning says the reason, in one line and once', async () => {
  const { log, printed } = await open({ format: 'pretty' });
  log.logger.warn({ err: new Error('no\nanswer') }, 'Lost runs could not be looked for.');
  log.logger.warn({ err: new Error('no answer') }, 'Not told: no answer');
  log.logger.warn({ err: new Error('A is away (refused).', { cause: new Error('refused') }) }, 'Trouble.');
  log.logger.child(ids).warn({ err: new Error('no answer') }, 'Attempt 1 failed');
  expect(printed().replace(/^\[.*?\] /gm, '')).toBe(
    'WARN: Lost runs could not be looked for. no answer\nWARN: Not told: no answer\nWARN: Trouble. A is away (refused).\nWARN: flight-delays.join: Attempt 1 failed\n',
  );
});

test('the pretty form of a failure says its message once, however its lines are set in, and its fields take the place of none of the line', async () => {
  const { log, printed } = await open({ format: 'pretty' });
  const message = 'These do not fit:\n  - name: empty\n  - age: below 0';
  for (const ErrorClass of [Error, TypeError]) {
    const error = Object.assign(new ErrorClass(message), { level: 10, time: 0, flow: 'other', rows: 3 });
    log.logger.child(ids).error({ err: error, rows: 2 }, `Failed: ${message}`);
  }
  const [plain = '', typed = ''] = printed().split(/(?=^\[)/m);
  for (const text of [plain, typed]) {
    expect(text).toMatch(/^\[.*\] ERROR: flight-delays\.join: Failed: /);
    expect(text.split('- age: below 0')).toHaveLength(2);
    expect(text).toContain('"rows":2');
  }
  expect(typed).toContain('Failed: TypeError: These do not fit:\n');
});

test('a trouble that goes on is told once a minute, with how often it came; what runs say is told each time', async () => {
  let ms = 0;
  const { log, lines, printed } = await open({ clock: { now: () => 0, monotonic: () => ms } as NonNullable<LogOptions['clock']> });
  const told = (): unknown[] => {
    const all = printed().trim().split('\n').map((line) => JSON.parse(line) as { msg: string; repeated?: number }); // biome-ignore format: one thought
    return all.map(({ msg, repeated }) => (repeated === undefined ? msg : [msg, repeated]));
  };
  for (; ms < 59_000; ms += 250) log.logger.warn({ err: new Error('away') }, 'no renewal');
  expect(told()).toEqual(['no renewal']);
  log.logger.warn({ err: new Error('full') }, 'no renewal');
  log.logger.warn('no renewal');
  ms = 60_000;
  log.logger.warn({ err: new Error('away') }, 'no renewal');
  expect(told()).toEqual(['no renewal', 'no renewal', 'no renewal', ['no renewal', 235]]);
  for (let count = 0; count < 3; count += 1) log.logger.child(ids).warn({ err: new Error('away') }, 'of a run');
  expect(told().length).toBe(7);
  expect(lines.length).toBe(3);
});

test('no line is lost when the process ends at once after 5,000 of them', async () => {
  const program = await compileProgram(`
    import { openLog } from './src/base/log.ts';
    const { logger } = await openLog({ level: 'info', format: process.argv[2] });
    for (let i = 0; i < 5000; i++) logger.info('line ' + i);
    process.exit(1);`);
  for (const format of ['json', 'pretty']) {
    const { stderr, status } = await startProgram(program, [format]).ended;
    expect([status, stderr.trimEnd().split('\n').length]).toEqual([1, 5_000]);
  }
  program.remove();
});

test('an error that carries the whole body of a response makes a line of a size that people can read', async () => {
  const { log, lines } = await open();
  const body = {
    bytes: Buffer.alloc(5_000_000),
    response: { data: new Uint8Array(5_000_000) },
    rows: Array.from({ length: 100_000 }, (_, at) => at),
  };
  log.logger.child(ids).error({ err: Object.assign(new Error('no answer'), body), few: Buffer.from('ab') }, 'Failed');
  expect(lines[0]?.fields).toMatchObject({
    err: { message: 'no answer', bytes: '[Buffer of 5,000,000 bytes]', response: { data: '[Uint8Array of 5,000,000 bytes]' } },
    few: { type: 'Buffer', data: [97, 98] },
  });
  const { rows } = (lines[0]?.fields?.['err'] ?? {}) as { readonly rows?: readonly unknown[] };
  expect(rows?.slice(0, 2)).toEqual([0, 1]);
  expect(rows?.at(-1)).toBe(`[${(100_000 - (rows?.length ?? 0) + 1).toLocaleString('en-US')} more]`);
});
