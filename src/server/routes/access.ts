/** Keys and the audit. */
import { z } from 'zod';
import { roles } from '../../model/access.ts';
import { toWire } from '../../client/wire.ts';
import type { App, RouteParts } from '../parts.ts';
import { documented, given, idParams, instant, pageQuery } from '../schemas/common.ts';

const keyName = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[A-Za-z0-9_.-]*$/, 'must hold letters, digits, _, . and - only');
const keyBody = z.strictObject({ name: keyName, role: z.enum(roles), expiresAt: instant.nullable().optional() });

export function accessRoutes(app: App, { client }: RouteParts): void {
  const about = documented('access');

  app.get('/api/keys', about('Keys, newest first; the keys themselves are not kept.'), async () => ({
    items: (await client.keys.list()).map((key) => toWire(key)),
  }));

  app.post('/api/keys', about('Makes a key, which is shown this once.', { body: keyBody }), async (request, reply) => {
    const { name, role, expiresAt } = request.body;
    const { key, entry } = await client.keys.create({ name, role, ...given({ expiresAt }) });
    request.change = { target: entry.id, details: { name, role } };
    return reply.code(201).send({ key, entry: toWire(entry) });
  });

  app.delete('/api/keys/:id', about('Ends a key, its sessions and its streams.', { params: idParams }), async (request) => {
    const entry = await client.keys.revoke(request.params.id);
    request.change = { target: entry.id, details: { name: entry.name } };
    return toWire(entry);
  });

  app.get('/api/audit', about('Changes made by people, newest first.', { querystring: pageQuery }), async (request) => {
    const { items, next } = await client.audit.list(given(request.query));
    return { items: items.map((item) => toWire(item)), next };
  });
}
