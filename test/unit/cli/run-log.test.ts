import { expect, test } from 'vitest';
import { RunLog } from '../../../src/cli/dev/run-log.ts';
import { openLog } from '../../../src/base/log.ts';
import { failureOf } from '../../../src/model/failure.ts';
import { fakeClock } from '../../../src/testing/fake-clock.ts';

async function open() {
  const printed: string[] = [];
  const clock = fakeClock();
  const runLog = new RunLog(clock, (text) => printed.push(text));
  const log = await openLog({ level: 'info', format: 'pretty', colors: false, write: runLog.write });
  runLog.follow(log);
  return { printed: () => printed.join(''), clock, runLog, logger: log.logger.child({ runId: 'run-1', flow: 'hello', task: 'say' }), log };
}

test('what a run logs is held until its start was printed, and printed at once from then on', async () => {
  const { printed, runLog, logger, log } = await open();
  logger.info('first');
  log.logger.info('of no run');
  expect(printed()).not.toContain('first');
  expect(printed()).toContain('of no run');
  runLog.release('run-1');
  expect(printed()).toContain('first');
  logger.info('second');
  expect(printed()).toMatch(/of no run[^]*first[^]*second/);
});

test('without news of its run it is printed within a second, and all of it as dev ends', async () => {
  const { printed, clock, runLog, logger } = await open();
  logger.info('first');
  await clock.sleep('1s');
  expect(printed()).toContain('first');
  runLog.forget('run-1');
  logger.info('late');
  expect(printed()).not.toContain('late');
  runLog.close();
  expect(printed()).toContain('late');
});

test('an error counts as shown once it was logged with its stack, and so does what it caused', async () => {
  const { runLog, logger } = await open();
  const deep = new Error('deep down');
  logger.error({ err: deep }, 'Failed: deep down');
  expect(runLog.hasShown('run-1', failureOf(new Error('above', { cause: deep })))).toBe(true);
  expect(runLog.hasShown('run-1', failureOf(new Error('another')))).toBe(false);
  expect(runLog.hasShown('run-2', failureOf(deep))).toBe(false);
  runLog.forget('run-1');
  expect(runLog.hasShown('run-1', failureOf(deep))).toBe(false);
});
