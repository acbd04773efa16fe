/** Messages on channels, over all brokers. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../../src/broker/broker.ts';
import { makers, Seen } from './makers.ts';
import type { Place } from './makers.ts';

describe.each(makers)('$name', ({ makePlace, shared }) => {
  let place: Place;
  let broker: Broker;
  let errors: unknown[];
  beforeEach(async () => {
    place = await makePlace();
    errors = [];
    broker = await place.open({ onError: (error) => errors.push(error) });
  });
  afterEach(() => place.remove());

  it('tells messages to all who listen to the channel, until they stop', async () => {
    const other = shared ? await place.open() : broker;
    const [here, there, elsewhere] = [new Seen<string>(), new Seen<string>(), new Seen<string>()];
    const stop = await broker.subscribe('run:1', (message) => here.add(message));
    await other.subscribe('run:1', (message) => there.add(message));
    await other.subscribe('run:2', (message) => elsewhere.add(message));
    await broker.notify('run:1', 'first');
    await Promise.all([here.count(1), there.count(1)]);
    stop();
    stop();
    await broker.notify('run:1', 'second');
    await broker.notify('run:2', 'last');
    expect(await there.count(2)).toEqual(['first', 'second']);
    expect(await elsewhere.count(1)).toEqual(['last']);
    expect(here.all).toEqual(['first']);
  });

  it('goes on after a listener that throws', async () => {
    const seen = new Seen<string>();
    await broker.subscribe('c', () => {
      throw new Error('listener fell over');
    });
    await broker.subscribe('c', (message) => seen.add(message));
    await broker.notify('c', 'still here');
    expect(await seen.count(1)).toEqual(['still here']);
    expect(errors.map(String)).toEqual(['Error: listener fell over']);
  });
});
