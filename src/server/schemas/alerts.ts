/** Alerts and errors: requests and answers. */
import { z } from 'zod';
import { alertFiringKinds, alertStates, deliveryStates } from '../../model/alerts/alert.ts';
import { alertGroupings, alertKinds } from '../../model/alerts/rule.ts';
import { errorStates } from '../../model/error-group.ts';
import { cursorText, instant, limitText, line, prose } from './common.ts';
import { at, atOrNull, count, textOrNull } from './run-answers.ts';

const duration = z.union([line(100, 1), z.number().min(0).max(Number.MAX_SAFE_INTEGER)]);
const names = z.array(line(200, 1)).max(100);
const states = z.enum(alertStates);

const condition = z.union([
  z.enum(['failed', 'crashed', 'late', 'missed', 'no-worker']),
  z.strictObject({ longer: z.union([duration, z.strictObject({ p95: z.number() })]) }),
  z.strictObject({ failureRate: z.number(), within: duration, atLeast: z.number().optional() }),
  z.strictObject({ nothingCompleted: duration }),
  z.strictObject({ noWorker: duration }),
  z.strictObject({ queueOlder: duration }),
  z.strictObject({ diskBelow: z.union([line(50, 1), z.number()]) }),
  z.strictObject({ metric: line(200, 1), above: z.number().optional(), below: z.number().optional() }),
]);
const action = z.union([
  z.enum(['cancel', 'pause']),
  z.strictObject({ webhook: line(2_000, 1), secret: line(100, 1).optional() }),
  z.strictObject({ slack: line(100, 1).describe('Name of the secret that holds the address of the incoming webhook') }),
  z.strictObject({ email: z.union([line(260, 1), z.array(line(260, 1)).max(100)]) }),
  z.strictObject({ run: line(200, 1), params: z.record(z.string(), z.unknown()).optional() }),
]);

export const ruleBody = z.strictObject({
  on: condition,
  flows: names.optional(),
  deployments: names.optional(),
  tags: names.optional(),
  queues: names.optional(),
  by: z.enum(alertGroupings).optional().describe('What one alert is about; default deployment'),
  send: z.union([action, z.array(action).max(10)]).optional(),
  repeat: duration.optional().describe('While it fires, it is sent again after so long; 0: for each occurrence'),
  resolved: z.boolean().optional().describe('Whether its end is sent as well; default true'),
  description: prose(1_000).optional(),
  paused: z.boolean().optional(),
  origin: z.enum(['config', 'hand']).optional().describe('Default hand'),
  declaredIn: line(200, 1).optional().describe('Name of the configuration file that declares it; with the origin config'),
});
export const deleteRuleQuery = z.strictObject({
  origin: z.enum(['config', 'hand']).optional().describe('Default hand, which refuses a rule that a configuration file declares'),
});
export const alertsQuery = z.strictObject({
  state: z.union([z.array(states).max(3), states.transform((one) => [one])]).optional(),
  rule: line(100, 1).optional(),
  limit: limitText.optional(),
  cursor: cursorText.optional(),
});
export const firingsQuery = z.strictObject({ limit: limitText.optional() });
export const silenceBody = z.strictObject({
  rule: line(100, 1).optional().describe('Default all'),
  group: line(300).optional().describe('Deployment, flow, queue or host; default all'),
  for: duration,
  reason: prose(1_000).optional(),
});
export const alertParams = z.strictObject({ id: line(100, 1) });
export const errorsQuery = z.strictObject({
  flow: line(200, 1).optional(),
  state: z
    .enum([...errorStates, 'all'])
    .optional()
    .describe('Default open'),
  since: instant.optional(),
  limit: limitText.optional(),
  cursor: cursorText.optional(),
});
export const errorParams = z.strictObject({ key: line(100, 1) });
export const errorQuery = z.strictObject({ flow: line(200, 1).optional() });
export const markBody = z.strictObject({ state: z.enum(errorStates), flow: line(200, 1).optional() });

const shownCondition = z.looseObject({ kind: z.enum(alertKinds) });
const shownAction = z.looseObject({ kind: z.enum(['webhook', 'slack', 'email', 'run', 'cancel', 'pause']) });
export const rule = z.strictObject({
  name: z.string(),
  description: textOrNull,
  rule: z.strictObject({
    condition: shownCondition,
    flows: z.array(z.string()),
    deployments: z.array(z.string()),
    tags: z.array(z.string()),
    queues: z.array(z.string()),
    by: z.enum(alertGroupings),
    actions: z.array(shownAction),
    repeatMs: count.nullable(),
    sendsResolved: z.boolean(),
  }),
  origin: z.enum(['config', 'hand']),
  declaredIn: textOrNull,
  pausedAt: atOrNull,
  createdAt: at,
  updatedAt: at,
});
export const alert = z.strictObject({
  id: z.string(),
  rule: z.string(),
  group: z.string(),
  kind: z.enum(alertKinds),
  state: states,
  summary: z.string(),
  count,
  firstAt: at,
  lastAt: at,
  resolvedAt: atOrNull,
  resolvedBy: textOrNull,
  sentAt: atOrNull,
  runId: textOrNull,
  runName: textOrNull,
  flow: textOrNull,
  deployment: textOrNull,
});
export const firing = z.strictObject({
  id: z.string(),
  alertId: textOrNull,
  rule: z.string(),
  group: z.string(),
  kind: z.enum(alertFiringKinds),
  at,
  summary: z.string(),
  count,
  silenced: z.boolean(),
});
const delivery = z.strictObject({
  id: z.string(),
  firingId: z.string(),
  rule: z.string(),
  kind: z.enum(['webhook', 'slack', 'email', 'run', 'cancel', 'pause']),
  receiver: z.string(),
  state: z.enum(deliveryStates),
  attempts: count,
  createdAt: at,
  triedAt: atOrNull,
  sentAt: atOrNull,
  answer: textOrNull,
});
const attempt = z.strictObject({ attempt: count, at, state: z.enum(deliveryStates), answer: z.string() });
const triedDelivery = delivery.extend({ lastAttempts: z.array(attempt).describe('The last 20, oldest first') });
export const sentFiring = firing.extend({ deliveries: z.array(triedDelivery) });
export const alertDetails = alert.extend({ firings: z.array(sentFiring) });
export const silence = z.strictObject({
  id: z.string(),
  rule: textOrNull,
  group: textOrNull,
  untilAt: at,
  reason: textOrNull,
  who: z.string(),
  createdAt: at,
});
export const errorGroup = z.strictObject({
  flow: z.string(),
  key: z.string(),
  state: z.enum(errorStates),
  isReopened: z.boolean(),
  name: z.string(),
  message: z.string(),
  task: textOrNull,
  frame: textOrNull,
  count,
  firstAt: at,
  lastAt: at,
  lastRunId: z.string(),
  markedAt: atOrNull,
  markedBy: textOrNull,
});
