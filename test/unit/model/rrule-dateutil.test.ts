/**
 * Recurrence rules against python-dateutil.
 *
 * What dateutil gives for 10,000 random rules is recorded as a checksum each. `SCHEDULE_ORACLE=record` records anew (python3 with dateutil,
 * some minutes). Where python3 has dateutil, fresh rules are compared as well; a failure shows rule and ticks.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BatutaError } from '../../../src/base/errors.ts';
import { nextTicks, parseSchedule } from '../../../src/model/schedule/schedule.ts';
import { type RandomRule, randomRules } from '../../support/random-rules.ts';

const recordedSeed = 5_545;
const recordedCount = 10_000;
const shownTicks = 8;
const checksumChars = 6;
const fixture = new URL('../../fixtures/schedules/dateutil-checksums.txt', import.meta.url);
const script = new URL('../../fixtures/schedules/dateutil-ticks.py', import.meta.url).pathname;
/** Rules for which dateutil itself takes more than a second. */
const slow = '-'.repeat(checksumChars);

const hasDateutil = spawnSync('python3', ['-c', 'import dateutil.rrule']).status === 0;
const isRecording = process.env['SCHEDULE_ORACLE'] === 'record';

describe('recurrence rules', () => {
  if (isRecording)
    it('are recorded as python-dateutil expands them', { timeout: 3_600_000 }, () => {
      const ticks = byDateutil(randomRules(recordedSeed, recordedCount));
      const checksums = ticks.map((one) => (one === 'slow' ? slow : checksumOf(one))).join('');
      writeFileSync(fixture, `${(checksums.match(/.{1,120}/g) ?? []).join('\n')}\n`);
    });

  it('tick as python-dateutil says, for 10,000 random rules', { timeout: 300_000 }, () => {
    const recorded = readFileSync(fixture, 'utf8').replaceAll('\n', '');
    const rules = randomRules(recordedSeed, recordedCount);
    const wrong = rules.flatMap((one, at) => {
      const expected = recorded.slice(at * checksumChars, (at + 1) * checksumChars);
      const ours = byUs(one);
      return expected === slow || checksumOf(ours) === expected ? [] : [`${at}: ${show(one, ours)}`];
    });
    expect(recorded).toHaveLength(recordedCount * checksumChars);
    expect(wrong.slice(0, 10)).toEqual([]);
  });

  // Where Python has no dateutil, the 10,000 recorded rules are the oracle.
  if (!hasDateutil) process.stdout.write('python3 has no dateutil here: only the recorded rules are compared.\n');
  else
    it('tick as python-dateutil says, for fresh random rules', { timeout: 300_000 }, () => {
      const seed = Number(process.env['SCHEDULE_SEED'] ?? Math.floor(Math.random() * 1e9));
      const rules = randomRules(seed, Number(process.env['SCHEDULE_RULES'] ?? 300));
      const theirs = byDateutil(rules);
      const wrong = rules.flatMap((one, at) => {
        const ours = byUs(one);
        return theirs[at] === 'slow' || theirs[at] === ours ? [] : [`${show(one, ours)}\n  dateutil: ${textOf(theirs[at] ?? '')}`];
      });
      expect(wrong.slice(0, 10), `seed ${seed}`).toEqual([]);
    });
});

/** Ticks in epoch seconds, with commas. */
function byUs({ rule, from }: RandomRule): string {
  try {
    return nextTicks(parseSchedule({ rrule: rule }), from * 1_000, shownTicks)
      .map((tick) => tick / 1_000)
      .join(',');
  } catch (error) {
    if (error instanceof BatutaError && /never comes/.test(error.message)) return '';
    throw new Error(`${rule}: ${String(error)}`, { cause: error });
  }
}

function byDateutil(rules: readonly RandomRule[]): readonly string[] {
  const { stdout, stderr, status } = spawnSync('python3', [script], { input: JSON.stringify(rules), maxBuffer: 1e8, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout.split('\n').slice(0, rules.length);
}

function checksumOf(ticks: string): string {
  return createHash('sha256').update(ticks).digest('base64url').slice(0, checksumChars);
}

function show({ rule, from }: RandomRule, ticks: string): string {
  return `${rule.replace('\n', ' ')} from ${new Date(from * 1_000).toISOString()}\n  batuta:   ${textOf(ticks)}`;
}

function textOf(ticks: string): string {
  return ticks === ''
    ? 'never'
    : ticks
        .split(',')
        .map((tick) => new Date(Number(tick) * 1_000).toISOString().slice(0, 19))
        .join(' ');
}
