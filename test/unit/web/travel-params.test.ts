/** Parameters of a run in a form, and back. */
import superjson, { type SuperJSONResult } from 'superjson';
import { expect, test } from 'vitest';
import { plainParams, sentParams } from '../../../web/src/form/travel-params.ts';

const before = { day: new Date(0), big: 5n, rates: new Map([['a', 1]]), names: new Set(['x']), n: 1, text: 'as it was' };
const sent = (...args: Parameters<typeof sentParams>): unknown => superjson.deserialize(sentParams(...args) as SuperJSONResult);

test('parameters of every kind stand in the form, none is left out', () => {
  expect(plainParams(before)).toEqual({
    day: '1970-01-01T00:00:00.000Z',
    big: '5',
    rates: [['a', 1]],
    names: ['x'],
    n: 1,
    text: 'as it was',
  });
});

test('what was not edited is sent as it was, with its type', () => {
  expect(sent({ ...plainParams(before), n: 2 }, before)).toEqual({ ...before, n: 2 });
});

test('of parameters that the server has, only what was edited is sent', () => {
  expect(sent({ ...plainParams(before), n: 2, more: true }, before, 'edited')).toEqual({ n: 2, more: true });
});
