/** Webhooks: where deliveries arrive, and what people see and change of them. */
import { BatutaError } from '../../base/errors.ts';
import { toWire } from '../../client/wire.ts';
import type { WebhookSpec } from '../../client/webhooks-client.ts';
import type { App, RouteParts } from '../parts.ts';
import { readJson } from '../read-json.ts';
import { documented, given, nameParams } from '../schemas/common.ts';
import { webhookBody, webhookTestBody } from '../schemas/webhooks.ts';

/** Deliveries per address and minute. */
const deliveriesPerMinute = 6_000;
const maxDepth = 100;
const maxContainers = 100_000;

export function webhookRoutes(app: App, { client, bounds }: RouteParts): void {
  const { webhooks } = client;
  const about = documented('webhooks');

  // A scope of its own: the raw bytes were signed, so nothing may parse a body before they are verified.
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => body);
    scope.post(
      '/hooks/:name',
      {
        ...about('Takes a signed delivery and emits its event. One that was taken before changes nothing.', {
          params: nameParams.meta({}),
        }),
        bodyLimit: bounds.maxBodyBytes,
        config: { rateLimit: { max: deliveriesPerMinute, timeWindow: 60_000 } },
      },
      async (request, reply) => {
        const { name } = request.params as { readonly name: string };
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const received = await webhooks.receive(name, { headers: request.headers, body }, () => parse(body));
        return reply.code(received.isDuplicate ? 200 : 202).send(received);
      },
    );
  });

  app.get('/api/webhooks', about('Webhooks with what they have taken, by name.'), async () => ({
    items: (await webhooks.list()).map((one) => toWire(one)),
  }));

  app.get('/api/webhooks/:name', about('A webhook.', { params: nameParams }), async (request) =>
    toWire(await webhooks.get(request.params.name)),
  );

  app.put('/api/webhooks/:name', about('Creates or replaces a webhook.', { params: nameParams, body: webhookBody }), async (request) => {
    const webhook = await webhooks.set(request.params.name, given(request.body) as WebhookSpec);
    request.change = { target: webhook.name, details: { style: webhook.rule.style, secrets: webhook.rule.secrets } };
    return toWire(webhook);
  });

  app.delete('/api/webhooks/:name', about('Deletes a webhook; its events stay.', { params: nameParams }), async (request, reply) => {
    await webhooks.delete(request.params.name);
    return reply.code(204).send();
  });

  app.post(
    '/api/webhooks/:name/test',
    about('Signs a body with the secret of the webhook, verifies it, and tells what it would do. Nothing is stored.', {
      params: nameParams,
      body: webhookTestBody,
    }),
    async (request) => webhooks.test(request.params.name, request.body.body ?? {}, request.body.headers),
  );
}

async function parse(body: Buffer): Promise<unknown> {
  try {
    return await readJson(body, { parse: (text) => JSON.parse(text) as unknown, maxDepth, maxContainers }, () => {
      throw new BatutaError('REQUEST_INVALID', 'The body of the delivery is nested too deep, or holds too many objects and lists.');
    });
  } catch (error) {
    if (error instanceof BatutaError) throw error;
    throw new BatutaError('REQUEST_INVALID', 'The body of the delivery is no JSON.');
  }
}
