import { describe, expect, test } from 'vitest';
import { checkSpec, type DeclaredDeployment, keptForever } from '../../../src/client/declared-deployment.ts';
import { type DeployedFacts, deployChanges } from '../../../src/client/deploy-changes.ts';
import type { DeploymentSpec } from '../../../src/client/deployments-client.ts';
import { encodeValue } from '../../../src/model/values.ts';

type Declared = DeclaredDeployment & DeployedFacts;

/** As it is kept once deployed. */
function declared(spec: Omit<DeploymentSpec, 'flow'> = {}, facts: Partial<DeployedFacts> = {}): Declared {
  const { paused: _, ...checked } = checkSpec({ ...spec, flow: 'sync' }, 'sync');
  const schedules = checked.schedules.map(({ slug, schedule, params, jitterMs }) => ({
    slug,
    schedule,
    params: encodeValue(params, ''),
    jitterMs,
  }));
  return {
    ...checked,
    params: encodeValue(spec.params, ''),
    complete: true,
    schedules,
    flowVersion: 'v1',
    source: 'a.ts#Sync',
    origin: 'command',
    ...facts,
  };
}

const changes = (before: Declared, after: Declared): string[] =>
  deployChanges(before, after).map(({ what, before: was, after: is }) => `${what}: ${was} → ${is}`);

describe('the changes of a deploy', () => {
  test('are none when the same is declared, also when it was read back from JSON', () => {
    const one = declared({ params: { at: new Date(0) }, schedules: [{ cron: '@daily' }, { interval: '1h', params: { a: 1 } }] });
    expect(changes(one, JSON.parse(JSON.stringify(one)) as Declared)).toEqual([]);
  });

  test('are none when only what nobody wrote down differs: order of schedules and tags that are defaults', () => {
    const schedules = [
      { slug: 'a', cron: '@daily' },
      { slug: 'b', cron: '@hourly' },
    ];
    expect(changes(declared({ schedules }), declared({ schedules: [...schedules].reverse(), queue: 'default', priority: 0 }))).toEqual([]);
  });

  test.each<[Omit<DeploymentSpec, 'flow'>, Omit<DeploymentSpec, 'flow'>, string[]]>([
    [{}, { queue: 'slow' }, ['queue: default → slow']],
    [{ description: 'a' }, {}, ['description: a → null']],
    [{ tags: ['a'] }, { tags: ['a', 'b'] }, ['tags: a → a, b']],
    [{}, { catchup: 'all', catchupWindow: '2h' }, ['catchup: latest → all', 'catchup window: 1 hour → 2 hours']],
    [{ overlap: 'skip' }, {}, ['overlap: skip → allow']],
    [{ retention: '1d' }, { retention: 'forever' }, ['retention: 1 day → forever']],
    [
      { concurrency: 1 },
      { concurrency: { limit: 2, key: '{a}', onConflict: 'skip' } },
      ['concurrency: 1 at a time, others wait → 2 at a time for each {a}, others are dropped'],
    ],
    [{ params: { a: 1, b: 2 } }, { params: { a: 2, c: 'x' } }, ['parameter a: 1 → 2', 'parameter b: 2 → null', 'parameter c: null → "x"']],
    [{ params: [1] }, { params: { a: 1 } }, ['parameters: [1] → null', 'parameter a: null → 1']],
    [
      { schedules: [{ slug: 'nightly', cron: '0 0 * * *' }] },
      { schedules: [{ slug: 'nightly', cron: '0 1 * * *', timezone: 'Asia/Tokyo', jitter: '5s' }] },
      [
        'schedule nightly: 0 0 * * * → 0 1 * * *',
        'schedule nightly timezone: UTC → Asia/Tokyo',
        'schedule nightly jitter: null → 5 seconds',
      ],
    ],
    [
      { schedules: [{ cron: '0 0 * * *' }] },
      { schedules: [{ interval: '2 days', timezone: 'Asia/Tokyo' }] },
      ['schedule cron: 0 0 * * * → null', 'schedule interval: null → every 2 days in Asia/Tokyo'],
    ],
    [
      { schedules: [{ cron: '@daily', params: { a: 1 }, end: '2027-01-01' }] },
      { schedules: [{ cron: '@daily', params: { a: 2 } }] },
      ['schedule cron end: 2027-01-01T00:00:00Z → null', 'schedule cron parameter a: 1 → 2'],
    ],
  ])('from %j to %j are said in words', (before, after, expected) => {
    expect(changes(declared(before), declared(after))).toEqual(expected);
  });

  test('tell of another version of the flow, another file and another way of declaring', () => {
    expect(changes(declared(), declared({}, { flowVersion: 'v2', source: 'b.ts#Sync', origin: 'config' }))).toEqual([
      'flow version: v1 → v2',
      'source: a.ts#Sync → b.ts#Sync',
      'declared by: a command → the configuration file',
    ]);
  });

  test('cut what is long', () => {
    const [line = ''] = changes(declared(), declared({ description: 'x'.repeat(200) }));
    expect(line).toHaveLength('description: null → '.length + 60);
  });
});

test('what is not said gets its default', () => {
  expect(
    checkSpec({ flow: 'sync', concurrency: 2, retention: 'forever', schedules: [{ cron: '@daily' }, { cron: '@hourly' }] }, 'sync'),
  ).toMatchObject({
    ...{
      name: 'sync',
      queue: 'default',
      priority: 0,
      catchup: 'latest',
      catchupWindowMs: 3_600_000,
      overlap: 'allow',
      retentionMs: keptForever,
    },
    ...{ concurrency: { limit: 2, key: null, onConflict: 'queue' }, schedules: [{ slug: 'cron' }, { slug: 'cron-2' }] },
  });
});
