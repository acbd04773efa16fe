/** Secrets, variables and connections. Values of secrets go in and never come out; viewers see only names. */
import { z } from 'zod';
import { toWire } from '../../client/wire.ts';
import { connectionKinds } from '../../model/connection-kinds.ts';
import { type ConnectionEntry, maxDescriptionChars, maxSecretBytes, type SecretEntry, type Variable } from '../../model/secret.ts';
import type { App, RouteParts } from '../parts.ts';
import { documented, given, line, nameParams, prose } from '../schemas/common.ts';

const description = prose(maxDescriptionChars).nullable().optional();
const secretValue = z.union([
  z.strictObject({ value: prose(maxSecretBytes).min(1) }),
  z.strictObject({
    reference: line(1_000, 1).describe('Where it is kept: env:NAME, file:/path, or a resolver of batuta.config.ts and what it takes'),
  }),
]);
const secretBody = z
  .strictObject({
    value: prose(maxSecretBytes).min(1).optional(),
    reference: line(1_000, 1)
      .optional()
      .describe('Where it is kept: env:NAME, file:/path, or a resolver of batuta.config.ts and what it takes'),
    description,
  })
  .refine(({ value, reference }) => (value === undefined) !== (reference === undefined), 'give either value or reference');
const variableBody = z.strictObject({ value: z.json(), description });
const connectionBody = z.strictObject({
  kind: z.enum(connectionKinds).optional().describe('Needed for a new connection'),
  fields: z.record(line(100, 1), z.json()).optional().describe('Replaces the fields that are not secret; left out: as they were'),
  secrets: z.record(line(100, 1), secretValue).optional().describe('Secret fields; those left out stay as they were'),
  description,
});

export function secretRoutes(app: App, { client }: RouteParts): void {
  const about = documented('secrets');

  app.get('/api/secrets', about('Secrets by name. To admins alone with where they are kept; nobody gets a value.'), async (request) => {
    const items = await client.secrets.list();
    return { items: request.identity?.role === 'admin' ? items.map((item) => toWire(item)) : items.map(({ name }) => ({ name })) };
  });

  app.get('/api/secrets/:name', about('What is known of a secret, without its value.', { params: nameParams }), async (request) =>
    toWire(await client.secrets.get(request.params.name)),
  );

  app.put(
    '/api/secrets/:name',
    about('Creates or replaces a secret. Its value is encrypted and never returned.', { params: nameParams, body: secretBody }),
    async (request) => {
      const { value, reference, description: text } = request.body;
      const wish = reference === undefined ? { value: value ?? '' } : { reference };
      const entry = await client.secrets.set(request.params.name, { ...wish, ...given({ description: text }) });
      request.change = { target: entry.name, details: changeOf(entry) };
      return toWire(entry);
    },
  );

  deleteRoute(app, '/api/secrets/:name', about('Deletes a secret.', { params: nameParams }), (name) => client.secrets.delete(name));

  app.post('/api/secrets/rotate', about('Encrypts all secrets with the current key of the server.'), async (request) => {
    const report = await client.secrets.rotate();
    request.change = { target: null, details: { keyId: report.keyId, moved: report.moved, failed: report.failed.length } };
    return report;
  });
}

export function variableRoutes(app: App, { client }: RouteParts): void {
  const about = documented('variables');

  app.get('/api/variables', about('Variables with their values, by name.'), async () => ({
    items: (await client.variables.list()).map(variableJson),
  }));

  app.get('/api/variables/:name', about('A variable with its value.', { params: nameParams }), async (request) =>
    variableJson(await client.variables.get(request.params.name)),
  );

  app.put(
    '/api/variables/:name',
    about('Creates or replaces a variable, any JSON.', { params: nameParams, body: variableBody }),
    async (request) => {
      const { value, description: text } = request.body;
      return variableJson(await client.variables.set(request.params.name, { value, ...given({ description: text }) }));
    },
  );

  deleteRoute(app, '/api/variables/:name', about('Deletes a variable.', { params: nameParams }), (name) => client.variables.delete(name));
}

export function connectionRoutes(app: App, { client }: RouteParts): void {
  const about = documented('connections');

  app.get(
    '/api/connections',
    about('Connections by name; to admins alone with their fields, and never with secret values.'),
    async (request) => {
      const items = await client.connections.list();
      return { items: request.identity?.role === 'admin' ? items.map(connectionJson) : items.map(({ name, kind }) => ({ name, kind })) };
    },
  );

  app.get(
    '/api/connections/:name',
    about('A connection, without the values of its secret fields.', { params: nameParams }),
    async (request) => connectionJson(await client.connections.get(request.params.name)),
  );

  app.put(
    '/api/connections/:name',
    about('Creates or replaces a connection. Secret fields are encrypted and never returned.', {
      params: nameParams,
      body: connectionBody,
    }),
    async (request) => {
      const { kind, fields, secrets, description: text } = request.body;
      const entry = await client.connections.set(request.params.name, given({ kind, fields, secrets, description: text }));
      request.change = { target: entry.name, details: { kind: entry.kind, secrets: Object.keys(secrets ?? {}) } };
      return connectionJson(entry);
    },
  );

  deleteRoute(app, '/api/connections/:name', about('Deletes a connection.', { params: nameParams }), (name) =>
    client.connections.delete(name),
  );
}

/** A route that deletes by name, with an empty answer. */
function deleteRoute(
  app: App,
  path: string,
  options: { readonly schema: { readonly params: typeof nameParams } },
  remove: (name: string) => Promise<void>,
): void {
  app.delete(path, options, async (request, reply) => {
    await remove(request.params.name);
    return reply.code(204).send();
  });
}

/** Audit entry of a secret that was set. */
function changeOf({ kind, reference }: SecretEntry): object {
  return { kind, ...(reference === null ? {} : { reference }) };
}

/** Field names are a user's and may look like those of instants. */
function variableJson({ value, ...rest }: Variable): object {
  return { ...toWire(rest), value };
}

function connectionJson({ fields, secrets, ...rest }: ConnectionEntry): object {
  return { ...toWire(rest), fields, secrets };
}
