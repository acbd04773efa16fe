import { afterAll, expect, test } from 'vitest';
import { onShutdown } from '../../../src/base/signals.ts';
import { compileProgram, startProgram } from '../../support/run-source.ts';

const program = await compileProgram(`
  import { onShutdown } from './src/base/signals.ts';
  const work = setInterval(() => {}, 1000);
  onShutdown(async (signal) => {
    console.log('asked by ' + signal);
    if (process.argv[2] === 'throw') throw new Error('cannot end');
    if (process.argv[2] === 'end') clearInterval(work);
  });
  console.log('ready');
`);
afterAll(() => program.remove());

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('the first %s calls the handler, the second ends the process with %i', async (signal, status) => {
  const run = startProgram(program, ['hang']);
  await run.printed('ready');
  run.child.kill(signal);
  await run.printed(`asked by ${signal}`);
  run.child.kill(signal);
  expect(await run.ended).toMatchObject({ status, stdout: `ready\nasked by ${signal}\n` });
});

test('a handler that lets the process end leaves its exit status alone', async () => {
  const run = startProgram(program, ['end']);
  await run.printed('ready');
  run.child.kill('SIGTERM');
  expect(await run.ended).toMatchObject({ status: 0, signal: null });
});

test('a handler that throws ends the process with the status of the signal', async () => {
  const run = startProgram(program, ['throw']);
  await run.printed('ready');
  run.child.kill('SIGINT');
  expect(await run.ended).toMatchObject({ status: 130, stderr: expect.stringContaining('cannot end') });
});

test('taken back, nothing listens any more; taking it back twice is harmless', () => {
  const before = process.listenerCount('SIGINT');
  const takeBack = onShutdown(() => undefined);
  expect(process.listenerCount('SIGINT')).toBe(before + 1);
  takeBack();
  takeBack();
  expect(process.listenerCount('SIGINT')).toBe(before);
});
