import { expect, test } from 'vitest';
import { joinServices, makeService, type Service } from '../../../src/base/service.ts';

function recorded(name: string, events: string[], fail?: 'start' | 'stop'): Service {
  return makeService({
    name,
    start() {
      events.push(`start ${name}`);
      if (fail === 'start') throw new Error(`${name} did not start`);
    },
    stop() {
      events.push(`stop ${name}`);
      if (fail === 'stop') throw new Error(`${name} did not stop`);
    },
  });
}

test('started twice and stopped twice, it does each once', async () => {
  const events: string[] = [];
  const service = recorded('a', events);
  await Promise.all([service.start(), service.start()]);
  await Promise.all([service.stop(), service.stop()]);
  expect(events).toEqual(['start a', 'stop a']);
});

test('stopped before it was started, it never works', async () => {
  const events: string[] = [];
  const service = recorded('a', events);
  await service.stop();
  await service.start();
  expect(events).toEqual([]);
});

test('a stop during a start aborts the signal, waits for the start and then takes down', async () => {
  const events: string[] = [];
  const service = makeService({
    name: 'slow',
    start: (signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          events.push('aborted');
          resolve();
        });
      }),
    stop: () => void events.push('stopped'),
  });
  void service.start();
  await Promise.resolve();
  await service.stop();
  expect(events).toEqual(['aborted', 'stopped']);
});

test('what a failed start left behind is taken down by stop', async () => {
  const events: string[] = [];
  const service = recorded('a', events, 'start');
  await expect(service.start()).rejects.toThrow('a did not start');
  await service.stop();
  expect(events).toEqual(['start a', 'stop a']);
});

test('joined services start in order and stop in reverse', async () => {
  const events: string[] = [];
  const all = joinServices('all', [recorded('a', events), recorded('b', events)]);
  await all.start();
  await all.stop();
  expect(events).toEqual(['start a', 'start b', 'stop b', 'stop a']);
});

test('when one of the joined does not start, those before it are stopped and its error is thrown', async () => {
  const events: string[] = [];
  const all = joinServices('all', [recorded('a', events), recorded('b', events, 'start'), recorded('c', events)]);
  await expect(all.start()).rejects.toThrow('b did not start');
  expect(events).toEqual(['start a', 'start b', 'stop b', 'stop a']);
  await all.stop();
  expect(events).toHaveLength(4);
});

test('one that does not stop keeps none of the others from stopping', async () => {
  const events: string[] = [];
  const all = joinServices('all', [recorded('a', events), recorded('b', events, 'stop'), recorded('c', events)]);
  await all.start();
  await expect(all.stop()).rejects.toThrow('b did not stop');
  expect(events.slice(3)).toEqual(['stop c', 'stop b', 'stop a']);
});
