import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { canFollow, canReopen, isTerminal, stateNames, stateOf, stateTypes, stateWord, terminalTypes } from '../../../src/model/state.ts';

describe('states', () => {
  test('nothing follows a terminal type', () => {
    for (const from of terminalTypes) for (const to of stateTypes) expect(canFollow(from, to)).toBe(false);
  });

  test('every type that is not terminal can end, and can be cancelled', () => {
    for (const from of stateTypes.filter((type) => !isTerminal(type))) {
      expect(canFollow(from, 'FAILED')).toBe(true);
      expect(canFollow(from, 'CANCELLED')).toBe(true);
      expect(canFollow(from, 'CANCELLING')).toBe(true);
    }
  });

  test('a run that is being cancelled never starts anew; it waits for another process only to be rolled back', () => {
    for (const to of ['PENDING', 'RUNNING', 'PAUSED'] as const) expect(canFollow('CANCELLING', to)).toBe(false);
    expect(canFollow('CANCELLING', 'SCHEDULED')).toBe(true);
  });

  test('what completed is not opened again, what failed, crashed or was cancelled may be', () => {
    expect(stateTypes.filter(canReopen)).toEqual(['FAILED', 'CRASHED', 'CANCELLED']);
  });

  test('anything may be the first state', () => {
    for (const to of stateTypes) expect(canFollow(null, to)).toBe(true);
  });

  test('a message is kept up to 1,000 characters, and a longer one cut', () => {
    expect(stateOf('FAILED', 'Failed', 'm'.repeat(1_000)).message).toBe('m'.repeat(1_000));
    expect(stateOf('FAILED', 'Failed', 'm'.repeat(1_001)).message).toBe(`${'m'.repeat(1_000)} …(1 more characters)`);
  });

  test('a word stands for its state in any case, with blanks around it; others stand for none', () => {
    expect(stateWord(' completed ')).toBe('Completed');
    expect(stateWord('awaitingRETRY')).toBe('AwaitingRetry');
    expect(stateWord('failed/timedout')).toBe('FAILED/TimedOut');
    expect(stateWord('done')).toBeNull();
  });

  test('a state without a name has the plain one of its type', () => {
    for (const type of stateTypes) expect(stateOf(type)).toEqual({ type, name: stateNames[type][0], message: null });
  });
});

test('every name of a state is given by something', () => {
  const sources = ['src/engine', 'src/store', 'scheduler', 'worker', 'src/client'].flatMap((room) =>
    readdirSync(room, { recursive: true, encoding: 'utf8' }).flatMap((name) =>
      name.endsWith('.ts') ? [readFileSync(join(room, name), 'utf8')] : [],
    ),
  );
  // The plain form of a type is given by `stateOf(type)`.
  const named = Object.values(stateNames).flatMap(([, ...others]) => others);
  for (const name of named) expect([name, sources.some((text) => text.includes(`'${name}'`))]).toEqual([name, true]);
});
