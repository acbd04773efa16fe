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

test('without news of its run it is printed once they could have come, and all of it as dev ends', async () => {
  const { printed, clock, runLog, logger, log } = await open();
  logger.info('first');
  // So long the news of runs may take where writes are not reported.
  await clock.sleep('2200ms');
  expect(printed()).not.toContain('first');
  await clock.sleep('300ms');
  expect(printed()).toContain('first');
  runLog.forget('run-1');
  logger.info('late');
  expect(printed()).not.toContain('late');
  runLog.close();
  expect(printed()).toContain('late');
  // What ends after it logs as well, and nobody prints what would be held.
  log.logger.child({ runId: 'run-3', flow: 'hello' }).info('the very last');
  expect(printed()).toContain('the very last');
});

test('of runs that ended long ago nothing is kept, whatever they still log', async () => {
  const { runLog, log, logger } = await open();
  const first = new Error('of the first');
  logger.error({ err: first }, 'Failed: of the first');
  for (let run = 0; run < 1_000; run++) {
    const late = log.logger.child({ runId: `late-${run}`, flow: 'hello' });
    late.error({ err: new Error('late') }, 'Failed: late');
    runLog.release(`late-${run}`);
  }
  expect(runLog.shown('run-1', failureOf(first))).toBe('nothing');
  expect(runLog.shown('late-999', failureOf(new Error('late')))).toBe('whole');
});

test('an error counts as shown once it was logged with its stack; of one that it caused, the cause does', async () => {
  const { runLog, logger } = await open();
  const deep = new Error('deep down');
  logger.error({ err: deep }, 'Failed: deep down');
  expect(runLog.shown('run-1', failureOf(deep))).toBe('whole');
  expect(runLog.shown('run-1', failureOf(new Error('above', { cause: deep })))).toBe('cause');
  expect(runLog.shown('run-1', failureOf(new Error('another')))).toBe('nothing');
  expect(runLog.shown('run-2', failureOf(deep))).toBe('nothing');
  runLog.forget('run-1');
  expect(runLog.shown('run-1', failureOf(deep))).toBe('nothing');
});
