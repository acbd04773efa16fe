import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import { readParams } from '../../../src/cli/read-params.ts';
import { readCount, readDuration, readLevel, readSince, readStart, readStates } from '../../../src/cli/read-options.ts';
import { userFrame } from '../../../src/base/user-frame.ts';
import { failureBrief, failureLines } from '../../../src/cli/render/failure.ts';
import { paintOf } from '../../../src/cli/render/shapes.ts';
import { failureOf } from '../../../src/model/failure.ts';
import { silentProgram } from './program.ts';
import { noon } from './samples.ts';

const folder = mkdtempSync(join(tmpdir(), 'batuta-options-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('words after the last argument', () => {
  const leaves = (parent: Command): Command[] =>
    parent.commands.flatMap((command) => (command.commands.length === 0 ? [command] : leaves(command)));
  const path = (command: Command): string[] => (command.parent === null ? [] : [...path(command.parent), command.name()]);
  const commands = leaves(silentProgram())
    .filter((command) => command.registeredArguments.every(({ variadic }) => !variadic))
    .map((command) => {
      const options = command.options.filter(({ mandatory }) => mandatory).flatMap(({ long }) => [long ?? '', '1h']);
      return [...path(command), ...options, ...command.registeredArguments.map(() => 'word')].join(' ');
    });

  it.each(commands)('of %s are refused, not ignored', async (line) => {
    await expect(silentProgram().parseAsync(['node', 'batuta', ...line.split(' '), 'more'])).rejects.toThrow(/too many arguments/);
  });
});

describe('options', () => {
  it('--since takes a duration ago and an ISO time', () => {
    expect(readSince('--since', '2h', noon)).toBe(noon - 7_200_000);
    expect(readSince('--since', '2026-01-15T09:00:00Z', noon)).toBe(noon - 10_800_000);
  });

  it.each(['yesterday', '5', '', '2026-13-45'])('--since %j is refused with what is allowed', (text) => {
    expect(() => readSince('--since', text, noon)).toThrow(/--since must be a duration ago such as 30m/);
  });

  it('states are taken in any case, as names and as types, with commas', () => {
    expect(readStates(['failed,timedout', 'RUNNING'])).toEqual(['Failed', 'TimedOut', 'Running']);
    expect(() => readStates(['bogus'])).toThrow(/'bogus' is no state. Allowed are Scheduled, /);
  });

  it.each(['0', '-1', '1.5', 'ten', '1001', ''])('--limit %j is refused', (text) => {
    expect(() => readCount('--limit', text, { min: 1, max: 1_000 })).toThrow('--limit must be a whole number from 1 to 1000');
  });

  it('levels have names, durations have units', () => {
    expect(readLevel('WARN')).toBe(40);
    expect(() => readLevel('loud')).toThrow('--level must be one of trace, debug, info, warn, error, fatal');
    expect(readDuration('--older-than', '30d')).toBe(2_592_000_000);
    expect(readDuration('--grace', '0s')).toBe(0);
    expect(() => readDuration('--older-than', '30')).toThrow('--older-than must be a duration such as');
  });
});

describe('parameters', () => {
  it('-p is text up to the first =, the last of two wins', async () => {
    expect(await readParams(undefined, ['a=1', 'b=x=y', 'a=2', 'c='], folder)).toEqual({
      data: undefined,
      texts: { a: '2', b: 'x=y', c: '' },
    });
  });

  it('--params takes an object, or a file that holds one', async () => {
    writeFileSync(join(folder, 'params.json'), '{"month":"01"}');
    expect((await readParams('{"n":1}', [], folder)).data).toEqual({ n: 1 });
    expect((await readParams('@params.json', [], folder)).data).toEqual({ month: '01' });
  });

  it.each([
    ['{bad', /^--params is not JSON: /],
    ['[1]', /must hold a JSON object such as .*, not a list/],
    ['null', /not null/],
    ['"x"', /not a string/],
    ['@none.json', /^The file none.json of --params does not exist/],
  ])('--params %s is refused with PARAMS_NOT_JSON', async (text, message) => {
    await expect(readParams(text, [], folder)).rejects.toMatchObject({ code: 'PARAMS_NOT_JSON', message: expect.stringMatching(message) });
  });

  it('-p without a key or a value is wrong usage', async () => {
    await expect(readParams(undefined, ['month'], folder)).rejects.toMatchObject({ code: 'USAGE' });
    await expect(readParams(undefined, ['=x'], folder)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('failures', () => {
  const stack = (file: string): string =>
    `Error: no\n    at read (node:internal/fs:1:2)\n    at load (/app/node_modules/lib/index.js:3:4)\n    at Flights.join (${file}:2:9)\n    at run (/app/other.ts:9:9)`;

  it("points at the first line of the user's own code and quotes it", () => {
    const file = join(folder, 'flow.ts');
    writeFileSync(file, 'class Flights {\n  join() { throw new Error("no"); }\n}\n');
    expect(userFrame(stack(file))).toEqual({ file, line: 2, column: 9 });
    const failure = { ...failureOf(new Error('no', { cause: new TypeError('deep') })), stack: stack(file) };
    const lines = failureLines(failure, paintOf(false), { cwd: folder });
    expect(lines.slice(0, 3)).toEqual(['no', '  at flow.ts:2:9', '  2 │ join() { throw new Error("no"); }']);
    expect(lines).toContain('caused by TypeError: deep');
  });

  it('of a line too long shows the part around the place', () => {
    const file = join(folder, 'long.ts');
    writeFileSync(file, `${'a'.repeat(300)}HERE${'b'.repeat(300)}`);
    const failure = { ...failureOf(new Error('no')), stack: `Error: no\n    at x (${file}:1:301)` };
    const [, , source = ''] = failureLines(failure, paintOf(false), { cwd: folder, width: 60 });
    expect(source).toContain('HERE');
    expect(source.length).toBeLessThanOrEqual(60);
  });

  it('shows fields, what was left out, the parts of an AggregateError and the causes of each', () => {
    const parts = [
      Object.assign(new Error('primary is down', { cause: new Error('no route') }), { port: 1 }),
      new Error('replica is down'),
    ];
    const error = Object.assign(new AggregateError(parts, 'All promises were rejected'), { statusCode: 503, socket: process.stdout });
    const lines = failureLines({ ...failureOf(error), stack: null }, paintOf(false), { cwd: folder, width: 100 }).filter(
      (line) => !/ at | │ /.test(line),
    );
    expect(lines).toEqual([
      'AggregateError: All promises were rejected',
      '  statusCode: 503',
      '  not recorded: socket',
      '  1 of 2: primary is down',
      '    port: 1',
      '  caused by no route',
      '  2 of 2: replica is down',
    ]);
  });

  it('says on one line what a failure consists of or was caused by, unless its message does', () => {
    const parts = [new Error('primary is down'), new Error('replica is down')];
    expect(failureBrief(failureOf(new AggregateError(parts, 'All promises were rejected')))).toBe(
      'AggregateError: All promises were rejected (primary is down; replica is down)',
    );
    expect(failureBrief(failureOf(new TypeError('fetch failed', { cause: new Error('no route') })))).toBe(
      'TypeError: fetch failed (no route)',
    );
    expect(failureBrief(failureOf(new Error('again: no route', { cause: new Error('no route') })))).toBe('again: no route');
  });

  it('cuts a long message, says by how much, and breaks it at the edge of the terminal', () => {
    const lines = failureLines({ ...failureOf(new Error('lorem ipsum '.repeat(1_000))), stack: null }, paintOf(false), {
      cwd: folder,
      width: 80,
    });
    expect(lines.length).toBeLessThan(12);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.join(' ')).toMatch(/ … \(11,400 more characters, --json shows all\)$/);
  });

  it('a stack without a line of the user, or none at all, is no trouble', () => {
    expect(userFrame('Error\n    at node:internal/x:1:1')).toBeNull();
    expect(userFrame(null)).toBeNull();
  });
});

describe('when a run is to start', () => {
  const now = Date.UTC(2026, 2, 1);
  it('is a duration from now, an ISO time, or not given', () => {
    expect(readStart({ startIn: '5m' }, now)).toBe(now + 300_000);
    expect(readStart({ startAt: '2026-03-01T09:00:00Z' }, now)).toBe(Date.UTC(2026, 2, 1, 9));
    expect(readStart({}, now)).toBeNull();
  });

  it.each([
    [{ startIn: '5m', startAt: '2026-03-01T09:00:00Z' }, 'not both'],
    [{ startIn: '5' }, '--start-in must be a duration'],
    [{ startAt: 'tomorrow' }, '--start-at must be an ISO time'],
    [{ startAt: '2026-13-01T09:00:00Z' }, '--start-at must be an ISO time'],
  ])('%o is refused', (options, message) => {
    expect(() => readStart(options, now)).toThrow(message);
  });
});

describe('a whole number that may be negative', () => {
  it('is read within its bounds', () => {
    expect(readCount('--priority', '-100', { min: -100, max: 100 })).toBe(-100);
    expect(readCount('--priority', '+7', { min: -100, max: 100 })).toBe(7);
  });

  it.each(['101', '1.5', '', 'high'])('%o is refused', (text) => {
    expect(() => readCount('--priority', text, { min: -100, max: 100 })).toThrow('--priority must be a whole number from -100 to 100');
  });
});
