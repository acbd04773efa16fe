/** The API docs: an OpenAPI 3.1 document made of the schemas of the routes, and a page to read it. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { packageVersion } from '../base/installed.ts';
import { access } from './access.ts';
import { answers, creating, errorAnswer, texts, withoutAnswer } from './schemas/answers.ts';
import type { App } from './parts.ts';

/** Adds it; call before adding routes. */
export async function addDocs(app: App, basePath: string): Promise<void> {
  const optionalBodies = new Set<string>();
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      ...(basePath === '' ? {} : { servers: [{ url: basePath }] }),
      info: {
        title: 'Batuta',
        version: packageVersion(),
        description:
          'Flows, runs, deployments and the fleet. Instants are ISO 8601 in UTC. Lists return `items` and `next`, the cursor of the page after. ' +
          'Errors are `{ error: { code, message, details } }`. Values of users are sent as `{ json, meta? }`, where `meta` says what JSON cannot.',
      },
      components: {
        securitySchemes: {
          key: { type: 'http', scheme: 'bearer', description: 'An API key made by `batuta key create`.' },
          session: { type: 'apiKey', in: 'cookie', name: 'batuta_session', description: 'Changes need the header x-batuta-csrf too.' },
        },
      },
    },
    transform: (given) => {
      const row = `${String(given.route.method)} ${given.url}`;
      if (given.schema?.body instanceof z.ZodType && given.schema.body.safeParse(undefined).success) optionalBodies.add(row);
      const { schema, url } = jsonSchemaTransform({ ...given, schema: { ...given.schema, response: responsesOf(row) } });
      const { needs } = access[row] ?? {};
      const summary = summaryOf(schema.description);
      if (needs === undefined || needs === 'public') return { schema: { ...schema, ...summary }, url };
      const description = [schema.description, needs === 'observer' ? 'Role: observer, who gets it without payloads.' : `Role: ${needs}.`]
        .filter(Boolean)
        .join(' ');
      return { schema: { ...schema, ...summary, description, security: [{ key: [] }, { session: [] }] }, url };
    },
    // The plugin marks every body with a schema as required.
    transformObject: (document) => {
      if (!('openapiObject' in document)) return document.swaggerObject;
      const { openapiObject } = document;
      for (const row of optionalBodies) {
        const [method = '', url = ''] = row.split(' ');
        const item = openapiObject.paths?.[url.replace(/:(\w+)/g, '{$1}')];
        const operation = item?.[method.toLowerCase() as 'post'];
        if (operation?.requestBody !== undefined && 'required' in operation.requestBody) operation.requestBody.required = false;
      }
      return openapiObject;
    },
  });
  // Without its bar, which shows a logo and an address field for another document.
  const uiConfig = { docExpansion: 'list', layout: 'BaseLayout' } as const;
  await app.register(swaggerUi, {
    routePrefix: '/api/docs',
    indexPrefix: basePath,
    uiConfig,
    theme: { title: 'Batuta API' },
    logo: { type: 'image/svg+xml', content: '' },
  });
  app.get('/api/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}

/** Shown next to the collapsed address: the first sentence. */
function summaryOf(description: unknown): { readonly summary?: string } {
  const [first] = typeof description === 'string' ? description.split(/\.(?:\s|$)/) : [];
  return first === undefined || first === '' ? {} : { summary: first };
}

/** An answer of one status: JSON by its schema, or a text. */
type Told = z.ZodType | { readonly description: string; readonly content: Readonly<Record<string, { readonly schema: z.ZodType }>> };

/** By status. */
function responsesOf(row: string): Record<string, Told> {
  const answer = answers[row];
  const type = texts[row];
  const told: Record<string, Told> = {
    '4XX': errorAnswer.describe('What is wrong with the request'),
    '503': errorAnswer.describe('The database or the broker does not answer'),
  };
  if (withoutAnswer.has(row)) told['204'] = z.null().describe('Done; the answer is empty');
  if (answer !== undefined) told[creating.has(row) ? '201' : '200'] = answer.describe(creating.has(row) ? 'Created' : 'Done');
  if (type !== undefined) told['200'] = { description: 'Text', content: { [type]: { schema: z.string() } } };
  return told;
}
