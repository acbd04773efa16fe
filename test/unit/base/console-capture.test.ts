import { AsyncLocalStorage } from 'node:async_hooks';
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { captureConsole, type ConsoleTarget } from '../../../src/base/console-capture.ts';

function open() {
  let printed = '';
  const stream = new Writable({ write: (chunk, _encoding, done) => void ((printed += String(chunk)), done()) });
  const console = new Console({ stdout: stream, stderr: stream });
  const lines: [level: string, message: string][] = [];
  const logger: ConsoleTarget = {
    debug: (message) => lines.push(['debug', message]),
    info: (message) => lines.push(['info', message]),
    warn: (message) => lines.push(['warn', message]),
    error: (message) => lines.push(['error', message]),
  };
  const scope = new AsyncLocalStorage<ConsoleTarget>();
  return {
    console,
    lines,
    logger,
    inRun: <T>(work: () => T): T => scope.run(logger, work),
    currentLogger: () => scope.getStore(),
    printed: () => printed,
  };
}

test('inside a run every method becomes a log line of its level, and nothing is printed', () => {
  const { console, lines, inRun, currentLogger, printed } = open();
  captureConsole({ console, currentLogger });
  inRun(() => {
    console.log('log');
    console.info('info');
    console.warn('warn');
    console.error('error');
    console.debug('debug');
  });
  expect(lines).toEqual([
    ['info', 'log'],
    ['info', 'info'],
    ['warn', 'warn'],
    ['error', 'error'],
    ['debug', 'debug'],
  ]);
  expect(printed()).toBe('');
});

test('arguments are put together as Node does', () => {
  const { console, lines, inRun, currentLogger } = open();
  captureConsole({ console, currentLogger });
  inRun(() => {
    console.log('%s has %d rows', 'flights', 412, { month: '01' });
    console.log();
    console.table([{ a: 1 }]);
    console.assert(false, 'never %s', 'so');
  });
  expect(lines[0]).toEqual(['info', "flights has 412 rows { month: '01' }"]);
  expect(lines[1]).toEqual(['info', '']);
  expect(lines[2]?.[1]).toContain('│ a │');
  expect(lines[3]).toEqual(['warn', 'Assertion failed: never so']);
});

test('a trace carries the stack of its caller', () => {
  const { console, lines, inRun, currentLogger } = open();
  captureConsole({ console, currentLogger });
  inRun(() => console.trace('here'));
  expect(lines[0]?.[1]).toMatch(/^Trace: here\n\s+at .*console-capture\.test\.ts/);
});

test('outside a run the console prints as ever', () => {
  const { console, lines, currentLogger, printed } = open();
  captureConsole({ console, currentLogger });
  console.log('plain');
  expect([printed(), lines]).toEqual(['plain\n', []]);
});

test('captured twice, a line is logged once, and the methods come back when both have ended, in any order', () => {
  const { console, lines, inRun, currentLogger } = open();
  const before = console.log;
  const endFirst = captureConsole({ console, currentLogger });
  const endSecond = captureConsole({ console, currentLogger });
  inRun(() => console.log('once'));
  expect(lines).toHaveLength(1);
  endFirst();
  endFirst();
  inRun(() => console.log('still'));
  expect(lines).toHaveLength(2);
  endSecond();
  expect(console.log).toBe(before);
  captureConsole({ console, currentLogger });
  inRun(() => console.log('again'));
  expect(lines).toHaveLength(3);
});

test('a method that someone replaced meanwhile is left to them', () => {
  const { console, inRun, currentLogger, lines, printed } = open();
  const end = captureConsole({ console, currentLogger });
  const beneath = console.log;
  const theirs = (text: string): void => beneath(`[theirs] ${text}`);
  console.log = theirs;
  end();
  expect(console.log).toBe(theirs);
  inRun(() => console.log('hello'));
  expect([printed(), lines]).toEqual(['[theirs] hello\n', []]);
});

test('a logger that itself prints with console does not go round in a circle', () => {
  const { console, inRun, currentLogger, lines, logger, printed } = open();
  captureConsole({ console, currentLogger });
  logger.info = (message) => {
    lines.push(['info', message]);
    console.log(`from the logger: ${message}`);
  };
  inRun(() => console.log('hello'));
  expect([lines, printed()]).toEqual([[['info', 'hello']], 'from the logger: hello\n']);
});

test('what console prints besides by its five levels is a line as well: dir, dirxml, table, count, group, assert, trace', () => {
  const { console, lines, inRun, currentLogger, printed } = open();
  captureConsole({ console, currentLogger });
  inRun(() => {
    console.dir({ a: { b: { c: 1 } } }, { depth: 0 });
    console.dirxml({ x: 1 });
    console.table([{ name: 'ada' }]);
    console.count('c');
    console.group('g');
    console.groupEnd();
    console.assert(false, 'asserted');
    console.trace('here');
  });
  const text = lines.map(([, message]) => message).join('\n');
  for (const part of ['{ a: [Object] }', '{ x: 1 }', "'ada'", 'c: 1', 'g', 'asserted', 'Trace: here']) expect(text).toContain(part);
  expect(printed()).toBe('');
});
