/** Alerts with their rules and silences, and error groups. */
import type { AlertRule, AlertSpec, SentFiring, SilenceSpec } from '../../client/alerts-client.ts';
import { toWire } from '../../client/wire.ts';
import { maskWebhook } from '../../model/alerts/rule.ts';
import type { Identity } from '../identity.ts';
import type { App, RouteParts } from '../parts.ts';
import {
  alertParams,
  alertsQuery,
  deleteRuleQuery,
  errorParams,
  errorQuery,
  errorsQuery,
  firingsQuery,
  markBody,
  ruleBody,
  silenceBody,
} from '../schemas/alerts.ts';
import { documented, given, nameParams } from '../schemas/common.ts';

export function alertRoutes(app: App, { client }: RouteParts): void {
  const { alerts } = client;
  const about = documented('alerts');

  app.get('/api/alerts', about('Alerts, last found first.', { querystring: alertsQuery }), async (request) => {
    const { state, ...filter } = given(request.query);
    return toWire(await alerts.list({ ...filter, ...(state === undefined ? {} : { states: state }) }));
  });

  app.get('/api/alerts/:id', about('An alert with its deliveries.', { params: alertParams }), async (request) => {
    const { firings, ...alert } = await alerts.get(request.params.id);
    return toWire({ ...alert, firings: firings.map((firing) => firingFor(request, firing)) });
  });

  app.post(
    '/api/alerts/:id/resolve',
    about('Ends an alert. A condition that still holds stays quiet until it ends.', { params: alertParams }),
    async (request) => {
      const alert = await alerts.resolve(request.params.id, whoOf(request));
      request.change = { target: alert.id, details: { rule: alert.rule, group: alert.group } };
      return toWire(alert);
    },
  );

  app.get('/api/alert-rules', about('Rules of alerts, by name.'), async (request) => ({
    items: (await alerts.rules()).map((rule) => toWire(ruleFor(request, rule))),
  }));

  app.get('/api/alert-rules/:name', about('A rule of alerts.', { params: nameParams }), async (request) =>
    toWire(ruleFor(request, await alerts.rule(request.params.name))),
  );

  app.get(
    '/api/alert-rules/:name/firings',
    about('The deliveries of a rule, newest first.', { params: nameParams, querystring: firingsQuery }),
    async (request) => ({
      items: (await alerts.firings(request.params.name, given(request.query))).map((firing) => toWire(firingFor(request, firing))),
    }),
  );

  app.put(
    '/api/alert-rules/:name',
    about('Creates or replaces a rule of alerts.', { params: nameParams, body: ruleBody }),
    async (request) => {
      const { origin = 'hand', declaredIn, ...spec } = given(request.body);
      const source = { origin, ...(declaredIn === undefined ? {} : { declaredIn }) };
      const rule = await alerts.setRule(request.params.name, spec as AlertSpec, source);
      request.change = { target: rule.name, details: { on: rule.rule.condition.kind, actions: rule.rule.actions.map(({ kind }) => kind) } };
      return toWire(rule);
    },
  );

  app.delete(
    '/api/alert-rules/:name',
    about('Deletes a rule; its alerts stay, and end.', { params: nameParams, querystring: deleteRuleQuery }),
    async (request, reply) => {
      await alerts.deleteRule(request.params.name, given(request.query));
      return reply.code(204).send();
    },
  );

  app.post(
    '/api/alert-rules/:name/pause',
    about('Pauses a rule: it finds nothing, and its alerts end.', { params: nameParams }),
    async (request) => toWire(ruleFor(request, await alerts.pauseRule(request.params.name))),
  );

  app.post('/api/alert-rules/:name/resume', about('Resumes a rule.', { params: nameParams }), async (request) =>
    toWire(ruleFor(request, await alerts.resumeRule(request.params.name))),
  );

  app.post(
    '/api/alert-rules/:name/test',
    about('Has a scheduler send a test to everyone the rule notifies.', { params: nameParams }),
    async (request) => toWire(await alerts.testRule(request.params.name)),
  );

  app.get('/api/alert-silences', about('Silences that have not ended, soonest first.'), async () => ({
    items: (await alerts.silences()).map((silence) => toWire(silence)),
  }));

  app.post('/api/alert-silences', about('Keeps alerts from being sent for a while.', { body: silenceBody }), async (request, reply) => {
    const silence = await alerts.silence(given(request.body) as SilenceSpec, whoOf(request));
    request.change = { target: silence.rule, details: { silence: silence.id, group: silence.group, reason: silence.reason } };
    return reply.code(201).send(toWire(silence));
  });

  app.delete('/api/alert-silences/:id', about('Ends a silence.', { params: alertParams }), async (request, reply) => {
    await alerts.unsilence(request.params.id);
    return reply.code(204).send();
  });
}

export function errorRoutes(app: App, { client }: RouteParts): void {
  const { errors } = client;
  const about = documented('errors');

  app.get(
    '/api/errors',
    about('Errors that runs have ended with, grouped, last seen first.', { querystring: errorsQuery }),
    async (request) => toWire(await errors.list(given(request.query))),
  );

  app.get('/api/errors/:key', about('Errors of one key.', { params: errorParams, querystring: errorQuery }), async (request) =>
    toWire(await errors.get(request.params.key, request.query.flow)),
  );

  app.post(
    '/api/errors/:key/mark',
    about('Resolves an error, which is open again once it comes again; ignores it for good; or opens it.', {
      params: errorParams,
      body: markBody,
    }),
    async (request) => {
      const { state, flow } = request.body;
      const group = await errors.mark(request.params.key, state, { ...(flow === undefined ? {} : { flow }), who: whoOf(request) });
      request.change = { target: group.key, details: { state, flow: group.flow } };
      return toWire(group);
    },
  );
}

interface Asked {
  readonly identity: Identity | null;
}

/** Webhook addresses are often secrets: only those who may set them see them whole. */
function ruleFor({ identity }: Asked, rule: AlertRule): AlertRule {
  if (identity?.role === 'admin') return rule;
  const actions = rule.rule.actions.map((action) => (action.kind === 'webhook' ? { ...action, url: maskWebhook(action.url) } : action));
  return { ...rule, rule: { ...rule.rule, actions } };
}

function firingFor({ identity }: Asked, firing: SentFiring): SentFiring {
  if (identity?.role === 'admin') return firing;
  const deliveries = firing.deliveries.map((delivery) => {
    const [kind, url] = delivery.receiver.split(' ', 2);
    return delivery.kind === 'webhook' ? { ...delivery, receiver: `${kind} ${maskWebhook(url ?? '')}` } : delivery;
  });
  return { ...firing, deliveries };
}

function whoOf({ identity }: Asked): string {
  return identity?.who ?? 'local';
}
