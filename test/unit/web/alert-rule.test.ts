/** The form of a rule of alerts: what it reads of a rule it writes again, and what the server refuses stands at its field. */
import { describe, expect, test } from 'vitest';
import { isBatutaError } from '../../../src/base/errors.ts';
import type { AlertSpec } from '../../../src/client/alerts-client.ts';
import { checkAlert } from '../../../src/client/declared-alert.ts';
import type { AlertRule } from '../../../src/model/alerts/rule.ts';
import { ApiError } from '../../../web/src/api/http.ts';
import { draftOf, emptyAction, emptyDraft, type RuleDraft } from '../../../web/src/pages/alerts/rule-draft.ts';
import { refusedFields, specOf } from '../../../web/src/pages/alerts/rule-spec.ts';

function ruleOf(spec: AlertSpec): AlertRule {
  const { description = null } = spec;
  return {
    ...{ name: 'nightly', description, rule: checkAlert('nightly', spec), origin: 'hand', declaredIn: null },
    ...{ pausedAt: null, createdAt: 0, updatedAt: 0 },
  };
}

/** What the server takes of a draft, as it keeps it. */
function kept(draft: RuleDraft): unknown {
  const read = specOf(draft);
  if ('errors' in read) throw new Error(JSON.stringify(read.errors));
  const spec = read.spec as AlertSpec;
  return { rule: checkAlert('nightly', spec), description: spec.description ?? null };
}

const scopes = { flows: ['load', 'a, b'], deployments: ['nightly'], tags: ['eu'] };

test.each<AlertSpec>([
  { on: 'failed', ...scopes, send: ['pause', { email: ['a@example.com', 'b@example.com'] }], by: 'flow', repeat: '90m', resolved: false },
  { on: 'crashed', send: { webhook: 'https://hooks.example/x?key=1', secret: 'hook-key' }, repeat: 0, description: 'Call Ada.' },
  { on: 'late', queues: ['reports'], send: ['cancel', { slack: 'ops' }] },
  { on: 'missed', deployments: ['nightly'], send: { run: 'cleanup', params: { rows: 5, at: { deep: [true, null] } } } },
  { on: { longer: '1h 30m' }, send: 'cancel' },
  { on: { longer: 1_500 } },
  { on: { longer: { p95: 1.5 } }, queues: ['reports'] },
  { on: { failureRate: 0.07, within: '36h', atLeast: 20 }, by: 'rule' },
  { on: { failureRate: 0.125, within: '10m' } },
  { on: { nothingCompleted: '26h' }, flows: ['load'], repeat: '12h' },
  { on: 'no-worker', queues: ['reports'] },
  { on: { noWorker: '90s' } },
  { on: { queueOlder: '15m' } },
  { on: { diskBelow: '10%' } },
  { on: { diskBelow: '2.5%' } },
  { on: { diskBelow: '2GiB' } },
  { on: { diskBelow: 1_000_001 } },
  { on: { metric: 'rows', below: 1 } },
  { on: { metric: 'lag', above: -0.5, below: -1e9 } },
])('a rule that is opened and saved is the same: %j', (spec) => {
  const { rule, description } = ruleOf(spec);
  expect(kept(draftOf(ruleOf(spec)))).toEqual({ rule, description });
});

test('what is left of another condition is not sent', () => {
  const draft = { ...draftOf(ruleOf({ on: 'late', ...scopes, queues: ['reports'] })), condition: 'diskBelow', value: '5%' } as const;
  expect(kept(draft)).toMatchObject({
    rule: { condition: { kind: 'disk', share: 0.05 }, flows: [], deployments: [], tags: [], queues: [] },
  });
});

describe('what is wrong', () => {
  const draft = { ...emptyDraft, name: 'nightly' };

  test('is said before anything is sent where it is missing or no number', () => {
    const all = {
      ...emptyDraft,
      condition: 'metric',
      above: 'much',
      actions: [
        emptyAction('webhook', 0),
        emptyAction('slack', 1),
        emptyAction('email', 2),
        { ...emptyAction('run', 3), params: '[1]' },
        emptyAction('cancel', 4),
      ],
    } as const;
    expect(specOf(all)).toEqual({
      errors: {
        name: 'This is needed.',
        metric: 'This is needed.',
        above: 'This is no number.',
        'send.0.webhook': 'This is needed.',
        'send.1.slack': 'This is needed.',
        'send.2.email': 'This is needed.',
        'send.3.run': 'This is needed.',
        'send.3.params': 'Parameters are an object: { "name": value }.',
      },
    });
  });

  test.each<[string, Partial<RuleDraft>, string]>([
    ['value', { condition: 'longer', value: 'soon' }, 'on.longer'],
    ['value', { condition: 'longer', value: '500d' }, 'on.longer must be from 1 ms to 400 days.'],
    ['value', { condition: 'longerP95', value: '0' }, 'on.longer.p95 must be a number from 0.1 to 1000, not 0.'],
    ['value', { condition: 'failureRate', value: '120' }, 'on.failureRate must be a number from 0 to 1, not 1.2.'],
    ['within', { condition: 'failureRate', value: '5', within: 'ever' }, 'on.within'],
    ['atLeast', { condition: 'failureRate', value: '5', atLeast: '0' }, 'on.atLeast must be a number'],
    ['value', { condition: 'diskBelow', value: 'much' }, 'on.diskBelow must be'],
    ['above', { condition: 'metric', metric: 'rows' }, 'on.metric needs above or below.'],
    ['repeat', { repeat: 'often' }, 'repeat'],
    ['tags', { tags: ['x'.repeat(201)] }, 'tags must be a list'],
    ['send.0.webhook', { actions: [{ ...emptyAction('webhook', 0), url: 'ftp://x' }] }, 'send.webhook must be an address'],
    [
      'send.1.secret',
      { actions: [emptyAction('pause', 0), { ...emptyAction('webhook', 1), url: 'https://x.example', secret: '1 x' }] },
      '"1 x"',
    ],
    ['send.0.slack', { actions: [{ ...emptyAction('slack', 0), secret: '1 x' }] }, '"1 x"'],
    ['send.0.email', { actions: [{ ...emptyAction('email', 0), to: ['nobody'] }] }, 'send.email has "nobody"'],
    ['send.0', { actions: [emptyAction('cancel', 0)] }, 'cancel goes with longer and late'],
    [
      'send.1',
      { condition: 'noWorker', value: '1m', actions: [{ ...emptyAction('slack', 0), secret: 'x' }, emptyAction('pause', 1)] },
      'pause needs',
    ],
    ['repeat', { repeat: '1h', actions: [{ ...emptyAction('run', 0), deployment: 'x' }] }, 'run x with repeat would react to itself'],
    ['name', { name: '1 x' }, '"1 x" is not a valid name'],
  ])('stands at %s: %j', (field, changes, said) => {
    const wrong = { ...draft, ...changes };
    const read = specOf(wrong);
    if ('errors' in read) throw new Error(JSON.stringify(read.errors));
    const refusals = refusalsOf(wrong.name, read.spec as AlertSpec, wrong);
    expect(Object.keys(refusals)).toEqual([field]);
    expect(refusals[field]).toMatch(new RegExp(`^${said.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}`));
  });

  test('stands below the form where it is about no field that is shown', () => {
    const of = (error: unknown) => refusedFields(error, draft);
    expect(of(new ApiError(409, 'ALERT_DECLARED', 'It stands in batuta.config.ts.', { name: 'nightly' }))).toEqual({
      '': 'It stands in batuta.config.ts.',
    });
    expect(of(new ApiError(400, 'ALERT_INVALID', 'Alert nightly: odd.', { field: 'on.longer' }))).toEqual({ '': 'Alert nightly: odd.' });
    expect(of(new ApiError(400, 'ALERT_INVALID', 'Alert nightly: odd.', { field: 'send.7.url' }))).toEqual({ '': 'Alert nightly: odd.' });
    expect(of(new TypeError('broken'))).toEqual({ '': 'TypeError: broken' });
    const issues = [{ path: 'description', message: 'must hold no NUL character' }];
    expect(of(new ApiError(400, 'REQUEST_INVALID', 'description: must hold no NUL character.', { issues }))).toEqual({
      description: 'description: must hold no NUL character.',
    });
  });
});

/** What the server would answer, at the fields of the form. */
function refusalsOf(name: string, spec: AlertSpec, draft: RuleDraft): Readonly<Record<string, string>> {
  try {
    checkAlert(name, spec);
  } catch (error) {
    if (isBatutaError(error)) return refusedFields(new ApiError(400, error.code, error.message, error.details), draft);
    throw error;
  }
  return {};
}
