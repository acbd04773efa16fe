/** Which requests a server that ends waits for. */
import fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { countRequests } from '../../../src/server/count-requests.ts';
import { gate } from '../../support/make-flow.ts';

test('an event that is being emitted is waited for, and a stream of events is not', async () => {
  const app = fastify();
  onTestFinished(() => app.close());
  const requests = countRequests(app);
  const [came, goes, streams] = [gate(), gate(), gate()];
  app.post('/api/events', async () => {
    came.open();
    await goes.opened;
    return {};
  });
  app.get('/api/events', async () => {
    streams.open();
    return await new Promise<never>(() => undefined);
  });
  void app.inject({ method: 'GET', url: '/api/events' }).catch(() => undefined);
  await streams.opened;
  await requests.done(systemClock, 60_000);
  const answer = app.inject({ method: 'POST', url: '/api/events' });
  await came.opened;
  const ends = requests.done(systemClock, 60_000).then(() => 'ended' as const);
  const turn = new Promise<'goes on'>((resolve) => setImmediate(() => resolve('goes on')));
  expect(await Promise.race([ends, turn])).toBe('goes on');
  goes.open();
  expect((await answer).statusCode).toBe(200);
  expect(await ends).toBe('ended');
});
