/** The API described: an OpenAPI 3.1 document made of the schemas of the routes, and a page to read it. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { packageVersion } from '../base/installed.ts';
import { access } from './access.ts';
import type { App } from './parts.ts';

/** Adds them; to be called before the routes. */
export async function addDocs(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Batuta',
        version: packageVersion(),
        description:
          'Flows, runs, deployments and the fleet. Instants are ISO 8601 in UTC. Lists give `items` and `next`, the cursor of the page after. ' +
          'Errors are `{ error: { code, message, details } }`. Values of users travel as `{ json, meta? }`, where `meta` says what JSON cannot.',
      },
      components: {
        securitySchemes: {
          key: { type: 'http', scheme: 'bearer', description: 'An API key made by `batuta key create`.' },
          session: { type: 'apiKey', in: 'cookie', name: 'batuta_session', description: 'Changes need the header x-batuta-csrf too.' },
        },
      },
    },
    transform: (given) => {
      const { schema, url } = jsonSchemaTransform(given);
      const { needs } = access[`${String(given.route.method)} ${given.url}`] ?? {};
      if (needs === undefined || needs === 'public') return { schema, url };
      const description = [schema.description, `Role: ${needs}.`].filter(Boolean).join(' ');
      return { schema: { ...schema, description, security: [{ key: [] }, { session: [] }] }, url };
    },
  });
  await app.register(swaggerUi, { routePrefix: '/api/docs', uiConfig: { docExpansion: 'list' } });
  app.get('/api/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}
