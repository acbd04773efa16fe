import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, expect, test } from 'vitest';
import { identifyProcess, isProcessGone, type ProcessIdentity, readProcessId } from '../../../src/base/process-identity.ts';
import { compileProgram, startProgram } from '../../support/run-source.ts';

const program = await compileProgram(`
  import { identifyProcess } from './src/base/process-identity.ts';
  console.log(JSON.stringify(identifyProcess()) + ';');
  setInterval(() => {}, 1000);
`);
afterAll(() => program.remove());

test('this process is known by host, pid and start, and is not gone', () => {
  const own = identifyProcess();
  expect(own).toMatchObject({ pid: process.pid, id: `${own.host}:${own.pid}:${own.processStartedAt}` });
  expect(identifyProcess()).toBe(own);
  expect(isProcessGone(own)).toBe(false);
});

test('an id gives back the process that it names, and no other text does', () => {
  expect(readProcessId(identifyProcess().id)).toEqual(identifyProcess());
  for (const text of ['', 'worker-1', '1:2', 'host:1:x', ':1:2']) expect(readProcessId(text)).toBe(null);
});

test('another process is not gone while it lives and gone once it was killed', async () => {
  const run = startProgram(program);
  const [line] = (await once(run.child.stdout ?? run.child, 'data')) as [string];
  const other = JSON.parse(line.slice(0, line.indexOf(';'))) as ProcessIdentity;
  expect(other.host).toBe(identifyProcess().host);
  expect(isProcessGone(other)).toBe(false);
  run.child.kill('SIGKILL');
  await run.ended;
  expect(isProcessGone(other)).toBe(true);
});

test('a pid that was given to a process with another start means that the owner is gone', () => {
  expect(isProcessGone({ ...identifyProcess(), processStartedAt: identifyProcess().processStartedAt - 60_000 })).toBe(true);
});

test('a process on another host is never called gone', async () => {
  const child = spawn(process.execPath, ['-e', '0']);
  await once(child, 'exit');
  const dead = { host: identifyProcess().host, pid: child.pid ?? 0, processStartedAt: 1 };
  expect(isProcessGone(dead)).toBe(true);
  expect(isProcessGone({ ...dead, host: 'elsewhere' })).toBe(false);
});

test('a pid that cannot be one is never called gone', () => {
  for (const pid of [0, -1, 1.5, Number.NaN]) expect(isProcessGone({ ...identifyProcess(), pid })).toBe(false);
});
